-- The right to write a shard. Time is the server's own, so that the nodes' clocks do not matter; that a late owner
-- writes nothing is the epoch's doing (commit.lua), not the clock's.

local function now()
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Whether the stream ends where the head says: it does not after a function was cut short, or a key was deleted by hand.
local function lastOf(journal)
  if call('EXISTS', journal) == 0 then return '0-0' end
  local info = call('XINFO', 'STREAM', journal)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end

-- Takes the shard under a new epoch when nobody else's lease is alive. A head below the one the caller has seen before
-- means that the server lost answered commits: offsets seen before have lost their meaning, so the topics' epoch changes.
-- KEYS  1 shard  2 journal
-- ARGV  1 node  2 nonce  3 ttl in ms  4 epoch, 5 commits and 6 commit id seen before (0, 0 and '' if none)
--       7 topics' epoch of a shard without one  8 topics' epoch of a shard that went back
-- gives {'held', node, ms left} or {'damaged', last id of the journal, seq} or
--       {'acquired', epoch, commits, seq, commit id, checksum of the head, '1' if the head went back}
define('acquire', {}, function(keys, args)
  local shard = keys[1]
  local lease = call('HMGET', shard, 'epoch', 'nonce', 'node', 'expires', 'commits', 'seq', 'id', 'check', 'topics')
  local time = now()
  local left = (tonumber(lease[4]) or 0) - time
  if lease[2] and lease[2] ~= '' and lease[2] ~= args[2] and left > 0 then return { 'held', lease[3], left } end

  local commits, seq, id = tonumber(lease[5]) or 0, lease[6] or '0', lease[7] or ''
  local last = lastOf(keys[2])
  if last ~= seq .. '-0' then return { 'damaged', last, seq } end

  local known = tonumber(args[5])
  local wentBack = commits < known or (commits == known and id ~= args[6])
  local topics = lease[9] or args[7]
  if wentBack then
    topics = args[8]
    call('HINCRBY', shard, 'rewinds', 1)
  end
  local epoch = string.format('%.0f', math.max(tonumber(lease[1]) or 0, tonumber(args[4])) + 1)
  local expires = string.format('%.0f', time + tonumber(args[3]))
  call('HSET', shard, 'epoch', epoch, 'nonce', args[2], 'node', args[1], 'expires', expires, 'topics', topics)
  return { 'acquired', epoch, lease[5] or '0', seq, id, lease[8] or '', wentBack and '1' or '0' }
end)

-- Prolongs a lease, also an expired one that nobody took meanwhile.
-- KEYS  1 shard
-- ARGV  1 epoch  2 nonce  3 ttl in ms
-- gives 1, or 0 when it is not the caller's any more
define('renew', {}, function(keys, args)
  local lease = call('HMGET', keys[1], 'epoch', 'nonce')
  if lease[1] ~= args[1] or lease[2] ~= args[2] then return 0 end
  call('HSET', keys[1], 'expires', string.format('%.0f', now() + tonumber(args[3])))
  return 1
end)

-- Gives a lease back: from here on its epoch commits nothing, and the next owner need not wait.
-- KEYS  1 shard
-- ARGV  1 epoch  2 nonce  3 the shard's channel
-- gives 1, or 0 when it is not the caller's any more
define('release', {}, function(keys, args)
  local lease = call('HMGET', keys[1], 'epoch', 'nonce')
  if lease[1] ~= args[1] or lease[2] ~= args[2] then return 0 end
  call('HSET', keys[1], 'nonce', '', 'node', '', 'expires', '0')
  ring(args[3])
  return 1
end)
