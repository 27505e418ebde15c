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

-- Takes the shard under a new epoch when nobody else's lease is alive. A head below what was answered means that the
-- server lost commits: `answered` remembers that until they are there again or declared as lost. `lost` is the epoch of
-- the last such declaration: what was seen under an earlier one is void; `numbers`, since when parcels count anew.
-- KEYS  1 shard  2 journal
-- ARGV  1 node  2 nonce  3 ttl in ms  4 epoch, 5 commits and 6 commit id seen before (0, 0 and '' if none)
--       7 epoch and 8 commits that others have seen (0 and 0 if none)  9 topics' epoch of a shard without one
-- gives {'held', node, ms left} or {'damaged', last id of the journal, seq} or
--       {'acquired', epoch, commits, seq, commit id, checksum of the head, commits answered if that is more than the
--        head or another one, else '', epoch and nonce that held it before}
define('acquire', {}, function(keys, args)
  local shard = keys[1]
  local lease = call('HMGET', shard, 'epoch', 'nonce', 'node', 'expires', 'commits', 'seq', 'id', 'check', 'topics',
    'answered', 'lost')
  local time = now()
  local left = (tonumber(lease[4]) or 0) - time
  if lease[2] and lease[2] ~= '' and lease[2] ~= args[2] and left > 0 then return { 'held', lease[3], left } end

  local commits, seq, id = tonumber(lease[5]) or 0, lease[6] or '0', lease[7] or ''
  local last = lastOf(keys[2])
  if last ~= seq .. '-0' then return { 'damaged', last, seq } end

  local remembered, declared = tonumber(lease[10]) or 0, tonumber(lease[11]) or 0
  local seenEpoch, seen = tonumber(args[4]), tonumber(args[5])
  local knownEpoch, known = tonumber(args[7]), tonumber(args[8])
  local answered, isAnother = remembered, false
  if seenEpoch >= declared then
    answered = math.max(answered, seen)
    isAnother = seen > 0 and commits == seen and id ~= args[6]
  end
  if knownEpoch >= declared then answered = math.max(answered, known) end
  local wentBack = answered > commits or isAnother
  if wentBack and remembered <= commits then call('HINCRBY', shard, 'rewinds', 1) end
  if wentBack and answered > remembered then call('HSET', shard, 'answered', string.format('%.0f', answered)) end
  if not wentBack and lease[10] then call('HDEL', shard, 'answered') end

  local epoch = string.format('%.0f', math.max(tonumber(lease[1]) or 0, seenEpoch, knownEpoch) + 1)
  -- Of what was done under an epoch that is not known here, nobody can tell how many parcels it sent.
  if (tonumber(lease[1]) or 0) < math.max(seenEpoch, knownEpoch) then call('HSET', shard, 'numbers', epoch) end
  local expires = string.format('%.0f', time + tonumber(args[3]))
  call('HSET', shard, 'epoch', epoch, 'nonce', args[2], 'node', args[1], 'expires', expires, 'topics', lease[9] or args[9])
  local lost = wentBack and string.format('%.0f', math.max(answered, commits)) or ''
  return { 'acquired', epoch, lease[5] or '0', seq, id, lease[8] or '', lost, lease[1] or '0', lease[2] or '' }
end)

-- Gives up the commits after the head up to the given one. The newest losses are kept, each as `from:to:seq:epoch:ms`.
-- KEYS  1 shard
-- ARGV  1 epoch  2 nonce  3 number of the last commit that was answered  4 the topics' new epoch  5 most losses to keep
-- gives 1, or 0 when the shard is not the caller's any more
define('declare_lost', {}, function(keys, args)
  local known = call('HMGET', keys[1], 'epoch', 'nonce', 'commits', 'seq', 'losses')
  if known[1] ~= args[1] or known[2] ~= args[2] then return 0 end
  local to = tonumber(args[3])
  local from = string.format('%.0f', math.min((tonumber(known[3]) or 0) + 1, to))
  local losses = {}
  for loss in string.gmatch(known[5] or '', '%S+') do losses[#losses + 1] = loss end
  losses[#losses + 1] = table.concat({ from, args[3], known[4] or '0', args[1], string.format('%.0f', now()) }, ':')
  while #losses > tonumber(args[5]) do table.remove(losses, 1) end
  call('HSET', keys[1], 'losses', table.concat(losses, ' '), 'lost', args[1], 'numbers', args[1],
    'topics', args[4])
  call('HDEL', keys[1], 'answered')
  return 1
end)

-- Prolongs a lease, also an expired one that nobody took meanwhile.
-- KEYS  1 shard
-- ARGV  1 epoch  2 nonce  3 ttl in ms  4 commits that the caller was answered
-- gives 1, or 0 when it is not the caller's any more, or its commits are not there
define('renew', {}, function(keys, args)
  local lease = call('HMGET', keys[1], 'epoch', 'nonce', 'commits')
  if lease[1] ~= args[1] or lease[2] ~= args[2] then return 0 end
  if (tonumber(lease[3]) or 0) < tonumber(args[4]) then return 0 end
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
