-- Addresses in their order, for listings. A hash has no order and a sorted set of all addresses costs more than their
-- index records, so that the set is made when somebody lists, kept complete by the commits while it exists, and expires
-- some minutes after the last listing. Two members that sort before every address say how far it is.

local keptSeconds = 600
-- A builder that died is forgotten after this.
local buildingSeconds = 10

-- KEYS  1 addresses
-- ARGV  1 nonce of the builder
-- gives 1, or 0 when there is one already, complete or not
define('start_listing', {}, function(keys, args)
  if call('EXISTS', keys[1]) == 1 then return 0 end
  call('ZADD', keys[1], '0', '\1building ' .. args[1])
  return call('EXPIRE', keys[1], buildingSeconds)
end)

-- KEYS  1 addresses
-- ARGV  1 nonce of the builder  2 '1' with the last part  3… addresses
-- gives 1, or 0 when it was forgotten meanwhile
define('add_listing', {}, function(keys, args)
  if not call('ZSCORE', keys[1], '\1building ' .. args[1]) then return 0 end
  for i = 3, #args do call('ZADD', keys[1], '0', args[i]) end
  if args[2] == '0' then return call('EXPIRE', keys[1], buildingSeconds) end
  call('ZREM', keys[1], '\1building ' .. args[1])
  call('ZADD', keys[1], '0', '\1complete')
  return call('EXPIRE', keys[1], keptSeconds)
end)

-- KEYS  1 addresses  2 actors
-- ARGV  1 command (ZRANGEBYLEX or ZREVRANGEBYLEX)  2 from  3 to  4 limit
-- gives flat pairs of address and index record, or nothing when the listing is not complete
define('list_actors', {}, function(keys, args)
  if not call('ZSCORE', keys[1], '\1complete') then return false end
  call('EXPIRE', keys[1], keptSeconds)
  local page = {}
  for _, address in ipairs(call(args[1], keys[1], args[2], args[3], 'LIMIT', 0, args[4])) do
    page[#page + 1] = address
    page[#page + 1] = call('HGET', keys[2], fieldOf(address))
  end
  return page
end)
