-- One commit of one shard. Everything is checked before the first write, and the first write is the only one that can
-- still be refused (an entry whose number the stream has already); the head moves last.
-- KEYS  1 shard  2 journal  3 actors  4 addresses  5 snapshots  6 timers  7 outbox  8 marks  9 projections  10 dead
--       11 topics, then one list per topic published to, then one sorted set per view named, then the inbox if it is
--       named
-- ARGV  1 epoch  2 nonce  3 number  4 id  5 first seq  6 checksum of the new head  7 counts (commit-call.ts), then
--       entries:      actor, version, type, emitted, operation, from, at, payload, checksum
--       actors:       field, record (an index, or the snapshot that stands for it)
--       snapshots:    field, record of those beside an index
--       moved:        field of actors whose snapshot may stand for their index so far
--       merged:       field of actors whose snapshot may stand beside their index so far
--       timers:       field, record        cleared timers: field
--       outbox:       field (shard:n), record        acknowledged: shard, n
--       marks:        field (in:shard or out:shard), n
--       projections:  name, version        dead letters: record
--       per topic:    name, number of publications, publications
--       per view:     1 if it is cleared, number of rows set, number of rows deleted,
--                     keys of rows set, keys of rows deleted, ('0', member) of rows set
--       inbox:        number of the last envelope handled
-- gives {'done', offset before the first publication of each topic}, {'repeated'}, {'epoch', epoch, nonce},
--       {'head', commits, seq} or {'invalid', why}

-- Why the key cannot be written: it holds something else than `command` is for. Nothing when it can.
local function wrong(command, key)
  local answer = attempt(command, key)
  if type(answer) == 'table' then return key .. ': ' .. answer.err end
end

local function addEntries(journal, args, at, first, count)
  for seq = first, first + count - 1 do
    local entry = attempt('XADD', journal, seq .. '-0', 'actor', args[at], 'version', args[at + 1], 'type', args[at + 2],
      'emitted', args[at + 3], 'operation', args[at + 4], 'from', args[at + 5], 'at', args[at + 6],
      'payload', args[at + 7], 'check', args[at + 8])
    if type(entry) == 'table' then
      if seq == first then return entry.err end
      error(entry.err)
    end
    at = at + 9
  end
end

-- A listing of addresses exists only after somebody asked for one (listing.lua); while it does, it stays complete.
local function addActors(keys, args, at, count)
  local behind, created = spread('HSET', keys[3], args, at, count)
  if created > 0 and call('EXISTS', keys[4]) == 1 then
    for i = at, behind - 1, 2 do call('ZADD', keys[4], '0', addressOf(args[i])) end
  end
  return behind
end

-- A snapshot that stands for an index gives way to one, and goes beside it.
local function moveSnapshots(keys, args, at, count)
  for i = at, at + count - 1 do
    local record = call('HGET', keys[3], args[i])
    if record and isSnapshot(record) then call('HSET', keys[5], args[i], record) end
  end
  return at + count
end

local function acknowledge(outbox, marks, to, upto)
  local known = call('HMGET', marks, 'acked:' .. to, 'out:' .. to)
  local acked = tonumber(known[1] or 0) or 0
  upto = math.min(upto, tonumber(known[2] or 0) or 0)
  if upto <= acked then return end
  local fields = {}
  if upto - acked > call('HLEN', outbox) then
    -- After a loss, numbers go on far beyond the last one.
    for _, field in ipairs(call('HKEYS', outbox)) do
      local receiver, n = string.match(field, '^(%d+):(%d+)$')
      if receiver == to and tonumber(n) <= upto then call('HDEL', outbox, field) end
    end
    return call('HSET', marks, 'acked:' .. to, string.format('%.0f', upto))
  end
  for n = acked + 1, upto do
    fields[#fields + 1] = to .. ':' .. string.format('%.0f', n)
    if #fields == chunk or n == upto then
      call('HDEL', outbox, unpack(fields))
      fields = {}
    end
  end
  call('HSET', marks, 'acked:' .. to, upto)
end

local function publish(list, args, at, count, historyMax)
  local behind = spread('RPUSH', list, args, at, count)
  call('LTRIM', list, -historyMax, -1)
  return behind
end

local function changeView(view, args, at)
  local set, deleted = tonumber(args[at + 1]), tonumber(args[at + 2])
  local rows = at + 3 + set + deleted
  if args[at] == '1' then
    call('DEL', view)
  else
    for i = at + 3, rows - 1 do call('ZREMRANGEBYLEX', view, '[' .. args[i] .. '\0', '(' .. args[i] .. '\1') end
  end
  return spread('ZADD', view, args, rows, 2 * set)
end

-- Everything up to `n` leaves the inbox. An `n` that was never given out is that of a server that lost what was sent: the
-- numbers go on behind it (cluster.lua), so that no later envelope is taken for handled.
local function handle(inbox, marks, n)
  local known = call('HMGET', marks, 'inbox', 'inbox:sent')
  local handled = tonumber(n)
  if handled <= (tonumber(known[1] or 0) or 0) then return end
  call('HSET', marks, 'inbox', n)
  if handled >= (tonumber(known[2] or 0) or 0) then
    call('DEL', inbox)
  else
    call('XTRIM', inbox, 'MINID', string.format('%.0f', handled + 1) .. '-0')
  end
end

-- The offset of each topic's newest publication, or why there is none.
local function headsOf(keys, args, at, topics)
  local names, heads = {}, {}
  for i = 1, topics do
    names[i] = args[at]
    at = at + 2 + tonumber(args[at + 1])
  end
  local stored = attempt('HMGET', keys[11], unpack(names))
  if stored.err then return nil, keys[11] .. ': ' .. stored.err end
  for i = 1, topics do
    heads[i] = tonumber(stored[i] or 0)
    if not heads[i] then return nil, keys[11] .. ': the offset of ' .. names[i] .. ' is not a number' end
  end
  return heads
end

-- The shard's state and whether the commit follows it: nothing if it does, else the reply.
local function verdict(shard, args)
  local state = attempt('HMGET', shard, 'epoch', 'nonce', 'commits', 'seq', 'id')
  if state.err then return { 'invalid', shard .. ': ' .. state.err } end
  if state[1] ~= args[1] or state[2] ~= args[2] then return { 'epoch', state[1] or '0', state[2] or '' } end
  local commits, number = tonumber(state[3] or 0), tonumber(args[3])
  if commits == number and state[5] == args[4] then return { 'repeated' } end
  if number ~= commits + 1 or tonumber(args[5]) ~= tonumber(state[4] or 0) + 1 then
    return { 'head', state[3] or '0', state[4] or '0' }
  end
end

define('commit', {}, function(keys, args)
  local refusal = verdict(keys[1], args)
  if refusal then return refusal end

  local entries, actors, snapshots, moved, merged, timers, cleared, outbox, acked, marks, projections, dead, topics,
    views, argv, historyMax, deadMax, inboxes = struct.unpack('>I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4', args[7])
  if argv ~= #args then return { 'invalid', #args .. ' arguments came of ' .. argv } end
  local why = actors > 0 and (wrong('HLEN', keys[3]) or wrong('ZCARD', keys[4]))
    or snapshots + moved + merged > 0 and wrong('HLEN', keys[5])
    or timers + cleared > 0 and wrong('HLEN', keys[6])
    or outbox + acked > 0 and wrong('HLEN', keys[7])
    or outbox + acked + marks + inboxes > 0 and wrong('HLEN', keys[8])
    or projections > 0 and wrong('HLEN', keys[9])
    or dead > 0 and wrong('LLEN', keys[10])
    or inboxes > 0 and wrong('XLEN', keys[#keys])
  for i = 12, #keys - inboxes do why = why or wrong(i < 12 + topics and 'LLEN' or 'ZCARD', keys[i]) end
  local heads
  if topics > 0 and not why then
    local before = 9 * entries + 2 * (actors + snapshots + timers + outbox + acked + marks + projections) + moved + merged
      + cleared + dead
    heads, why = headsOf(keys, args, 8 + before, topics)
  end
  if why then return { 'invalid', why } end

  local first, at = tonumber(args[5]), 8
  local refused = addEntries(keys[2], args, at, first, entries)
  if refused then return { 'invalid', keys[2] .. ': ' .. refused } end
  at = at + 9 * entries
  local snapshotsAt = at + 2 * actors
  local movedAt = snapshotsAt + 2 * snapshots
  moveSnapshots(keys, args, movedAt, moved)
  if actors > 0 then addActors(keys, args, at, 2 * actors) end
  spread('HSET', keys[5], args, snapshotsAt, 2 * snapshots)
  at = spread('HDEL', keys[5], args, movedAt + moved, merged)
  if timers + cleared > 0 then
    -- A timer that is cleared and set again is set.
    spread('HDEL', keys[6], args, at + 2 * timers, cleared)
    spread('HSET', keys[6], args, at, 2 * timers)
    at = at + 2 * timers + cleared
  end
  if outbox > 0 then at = spread('HSET', keys[7], args, at, 2 * outbox) end
  local acknowledged = at
  at = at + 2 * acked
  if marks > 0 then at = spread('HSET', keys[8], args, at, 2 * marks) end
  for i = acknowledged, acknowledged + 2 * acked - 1, 2 do
    acknowledge(keys[7], keys[8], args[i], tonumber(args[i + 1]))
  end
  if projections > 0 then at = spread('HSET', keys[9], args, at, 2 * projections) end
  if dead > 0 then
    at = spread('RPUSH', keys[10], args, at, dead)
    call('LTRIM', keys[10], -deadMax, -1)
  end

  local reply = { 'done' }
  for i = 1, topics do
    local published = tonumber(args[at + 1])
    reply[i + 1] = heads[i]
    call('HSET', keys[11], args[at], heads[i] + published)
    at = publish(keys[11 + i], args, at + 2, published, historyMax)
  end
  for i = 12 + topics, #keys - inboxes do at = changeView(keys[i], args, at) end
  if inboxes > 0 then handle(keys[#keys], keys[8], args[at]) end

  call('HSET', keys[1], 'commits', args[3], 'seq', first + entries - 1, 'id', args[4], 'check', args[6])
  return reply
end)
