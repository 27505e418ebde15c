-- What several nodes need: who is there, by the server's clock, and an inbox per shard. Membership is one hash of its own
-- slot; an inbox is a stream beside the shard's other keys, and exists only while it holds something: the numbers are kept
-- in the shard's marks, as `inbox` (handled, which a commit moves), `inbox:sent` (given out) and `inbox:rung`.

-- The ring that brings an envelope along (cluster/ring.ts): up to this many that no commit has handled, and this large.
local broughtMax, broughtBytesMax = 1024, 16384

-- An actor that does not exist is told of by the ring: nobody but the envelope's sender knows its id.
-- KEYS  1 inbox  2 marks  3 actors
-- ARGV  1 envelope  2 most the inbox may hold  3 the shard's channel  4 field of an actor, if its reader is to be told of it
-- gives the envelope's number, or 0 when the inbox is full
define('send', {}, function(keys, args)
  if call('XLEN', keys[1]) >= tonumber(args[2]) then return 0 end
  local known = call('HMGET', keys[2], 'inbox', 'inbox:sent', 'inbox:rung')
  local last = math.max(tonumber(known[1] or 0), tonumber(known[2] or 0))
  local n = string.format('%.0f', last + 1)
  call('XADD', keys[1], n .. '-0', 'envelope', args[1], unpack(args[4] and { 'actor', args[4] } or {}))
  call('HSET', keys[2], 'inbox:sent', n)
  if known[3] then return last + 1 end
  if last + 1 - tonumber(known[1] or 0) <= broughtMax and #args[1] <= broughtBytesMax then
    local absent = args[4] and call('HEXISTS', keys[3], args[4]) == 0
    ring(args[3], '\193' .. struct.pack('>d', last + 1) .. (absent and '\1' or '\0') .. args[1])
  else
    -- Once until somebody has looked: a flood rings once, and each read allows the next ring.
    call('HSET', keys[2], 'inbox:rung', '1')
    ring(args[3])
  end
  return last + 1
end)

-- Several messages, to channels of any slot that the server has.
-- ARGV  channel and message of each
-- gives position (from 0) and reason for each that could not be published
define('publish', { 'allow-cross-slot-keys' }, function(_, args)
  local failed = {}
  for i = 1, #args, 2 do
    local answer = attempt('SPUBLISH', args[i], args[i + 1])
    if type(answer) == 'table' then
      failed[#failed + 1] = (i - 1) / 2
      failed[#failed + 1] = answer.err
    end
  end
  return failed
end)

-- Not read-only, because whoever reads wants the next ring. A reader that is ahead of the numbers given out has read them
-- from a server that was ahead of this one: they are not given out again.
-- KEYS  1 inbox  2 marks  3 actors
-- ARGV  1 number to begin after  2 limit
-- gives {id, {'envelope', bytes}} per envelope; where an actor's field came with it, a third value: 1 if it exists, 0 if not
define('read_inbox', {}, function(keys, args)
  local known = call('HMGET', keys[2], 'inbox', 'inbox:sent', 'inbox:rung')
  if known[3] then call('HDEL', keys[2], 'inbox:rung') end
  local sent = math.max(tonumber(known[1] or 0) or 0, tonumber(known[2] or 0) or 0)
  if tonumber(args[1]) > sent then call('HSET', keys[2], 'inbox:sent', args[1]) end
  local records = call('XRANGE', keys[1], '(' .. args[1] .. '-0', '+', 'COUNT', args[2])
  for _, record in ipairs(records) do
    local actor = record[2][4]
    if actor then record[3] = call('HEXISTS', keys[3], actor) end
  end
  return records
end)

-- KEYS  1 shard  2 marks
-- gives {ms left of the lease, epoch, node, commits, seq, rewinds, number sent, number handled}
define('read_status', { 'no-writes' }, function(keys)
  local known = call('HMGET', keys[1], 'expires', 'epoch', 'node', 'commits', 'seq', 'rewinds')
  local marks = call('HMGET', keys[2], 'inbox:sent', 'inbox')
  local left = math.max(0, (tonumber(known[1]) or 0) - now())
  return { left, known[2], known[3], known[4], known[5], known[6], marks[1], marks[2] }
end)

-- What a node's beat wrote: until when it is there (server's ms), and its process. Nothing when there is no such node.
local function aliveOf(value)
  local expires, nonce = string.match(value or '', '^(%d+) (.*)$')
  return tonumber(expires), nonce
end

local function forget(key, id)
  return call('HDEL', key, 'node:' .. id, 'alive:' .. id, 'drain:' .. id)
end

-- KEYS  1 cluster
-- ARGV  1 id  2 nonce  3 what the node says of itself  4 ttl in ms
-- gives {server's ms, the hash as flat pairs}, or nothing when another process beats under that id
define('beat', {}, function(keys, args)
  local time = now()
  local fields = call('HGETALL', keys[1])
  for i = 1, #fields, 2 do
    local id = string.match(fields[i], '^alive:(.*)$')
    if id then
      local expires, nonce = aliveOf(fields[i + 1])
      if not expires or expires <= time then
        forget(keys[1], id)
      elseif id == args[1] and nonce ~= args[2] then
        return false
      end
    end
  end
  local alive = string.format('%.0f', time + tonumber(args[4])) .. ' ' .. args[2]
  call('HSET', keys[1], 'node:' .. args[1], args[3], 'alive:' .. args[1], alive)
  return { time, call('HGETALL', keys[1]) }
end)

-- KEYS  1 cluster
-- gives as `beat`; nodes whose time is over are still in it
define('read_cluster', { 'no-writes' }, function(keys)
  return { now(), call('HGETALL', keys[1]) }
end)

-- KEYS  1 cluster
-- ARGV  1 id  2 nonce
-- gives the number of fields removed: 0 when another process has the id by now
define('leave', {}, function(keys, args)
  local _, nonce = aliveOf(call('HGET', keys[1], 'alive:' .. args[1]))
  return nonce == args[2] and forget(keys[1], args[1]) or 0
end)

-- KEYS  1 cluster
-- ARGV  1 id  2 '1' to give its shards away, '0' to take them again
-- gives 1, or 0 when there is no such node
define('drain', {}, function(keys, args)
  local expires = aliveOf(call('HGET', keys[1], 'alive:' .. args[1]))
  if not expires or expires <= now() then return 0 end
  if args[2] == '1' then call('HSET', keys[1], 'drain:' .. args[1], '1') else call('HDEL', keys[1], 'drain:' .. args[1]) end
  return 1
end)
