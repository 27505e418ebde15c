-- One commit of one shard. Everything is checked before the first write, and the first write is the only one that can
-- still be refused (an entry whose number the stream has already); the head moves last.
-- KEYS  1 shard  2 journal  3 actors  4 addresses  5 snapshots  6 timers  7 outbox  8 marks  9 projections  10 dead
--       11 topics, then one list per topic published to, then one sorted set per view named
-- ARGV  1 epoch  2 nonce  3 number  4 id  5 first seq  6 checksum of the new head  7 counts (below), then
--       entries:      actor, version, type, emitted, operation, from, at, payload, checksum
--       actors:       address, record
--       snapshots:    address, record
--       timers:       field, record        cleared timers: field
--       outbox:       field (shard:n), record        acknowledged: shard, n
--       marks:        field (in:shard or out:shard), n
--       projections:  name, version        dead letters: record
--       per topic:    name, number of publications, publications
--       per view:     1 if it is cleared, number of rows set, number of rows deleted,
--                     keys of rows set, keys of rows deleted, ('0', member) of rows set
-- gives {'done', offset before the first publication of each topic}, {'repeated'}, {'epoch', epoch, nonce},
--       {'head', commits, seq} or {'invalid', why}

local countsFormat = '>I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4'

-- One command per key that this commit writes: it answers with a WRONGTYPE error where the key is something else.
local function wrongKey(keys, counts, views)
  local asked = {
    { 'HLEN', 3, counts.actors }, { 'ZCARD', 4, counts.actors }, { 'HLEN', 5, counts.snapshots },
    { 'HLEN', 6, counts.timers + counts.cleared }, { 'HLEN', 7, counts.outbox + counts.acked },
    { 'HLEN', 8, counts.marks + counts.acked }, { 'HLEN', 9, counts.projections }, { 'LLEN', 10, counts.dead },
    { 'HLEN', 11, counts.topics },
  }
  for i = 12, #keys do asked[#asked + 1] = { i < views and 'LLEN' or 'ZCARD', i, 1 } end
  for _, ask in ipairs(asked) do
    if ask[3] > 0 then
      local answer = attempt(ask[1], keys[ask[2]])
      if type(answer) == 'table' then return keys[ask[2]] .. ': ' .. answer.err end
    end
  end
end

local function countsOf(packed)
  local c = {}
  c.entries, c.actors, c.snapshots, c.timers, c.cleared, c.outbox, c.acked, c.marks, c.projections, c.dead, c.topics,
    c.views, c.argv, c.historyMax, c.deadMax = struct.unpack(countsFormat, packed)
  return c
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
local function addActors(keys, args, first, last)
  if spread('HSET', keys[3], args, first, last) == 0 or call('EXISTS', keys[4]) == 0 then return end
  for i = first, last, 2 do call('ZADD', keys[4], '0', args[i]) end
end

local function acknowledge(outbox, marks, to, upto)
  local acked = tonumber(call('HGET', marks, 'acked:' .. to) or 0)
  upto = math.min(upto, tonumber(call('HGET', marks, 'out:' .. to) or 0))
  if upto <= acked then return end
  local fields = {}
  for n = acked + 1, upto do
    fields[#fields + 1] = to .. ':' .. n
    if #fields == chunk or n == upto then
      call('HDEL', outbox, unpack(fields))
      fields = {}
    end
  end
  call('HSET', marks, 'acked:' .. to, upto)
end

local function publish(list, args, first, last, historyMax)
  while first <= last do
    local upto = math.min(first + chunk - 1, last)
    if call('RPUSH', list, unpack(args, first, upto)) > historyMax then call('LTRIM', list, -historyMax, -1) end
    first = upto + 1
  end
end

local function changeView(view, args, at)
  local cleared, set, deleted = args[at] == '1', tonumber(args[at + 1]), tonumber(args[at + 2])
  at = at + 3
  if cleared then
    call('DEL', view)
  else
    for i = at, at + set + deleted - 1 do
      call('ZREMRANGEBYLEX', view, '[' .. args[i] .. '\0', '(' .. args[i] .. '\1')
    end
  end
  at = at + set + deleted
  spread('ZADD', view, args, at, at + 2 * set - 1)
  return at + 2 * set
end

define('commit', {}, function(keys, args)
  local shard = keys[1]
  local state = attempt('HMGET', shard, 'epoch', 'nonce', 'commits', 'seq', 'id')
  if state.err then return { 'invalid', shard .. ': ' .. state.err } end
  if state[1] ~= args[1] or state[2] ~= args[2] then return { 'epoch', state[1] or '0', state[2] or '' } end
  local commits, seq, number, first = tonumber(state[3] or 0), tonumber(state[4] or 0), tonumber(args[3]), tonumber(args[5])
  if commits == number and state[5] == args[4] then return { 'repeated' } end
  if number ~= commits + 1 or first ~= seq + 1 then return { 'head', state[3] or '0', state[4] or '0' } end

  local counts = countsOf(args[7])
  if counts.argv ~= #args then return { 'invalid', #args .. ' arguments came of ' .. counts.argv } end
  local wrong = wrongKey(keys, counts, 12 + counts.topics)
  if wrong then return { 'invalid', wrong } end

  local at = 8
  local refused = addEntries(keys[2], args, at, first, counts.entries)
  if refused then return { 'invalid', keys[2] .. ': ' .. refused } end
  at = at + 9 * counts.entries

  -- `take` is the last argument of a section of so many values, and moves on.
  local function take(values)
    at = at + values
    return at - 1
  end
  if counts.actors > 0 then addActors(keys, args, at, take(2 * counts.actors)) end
  spread('HSET', keys[5], args, at, take(2 * counts.snapshots))
  local timers = at
  take(2 * counts.timers)
  spread('HDEL', keys[6], args, at, take(counts.cleared))
  spread('HSET', keys[6], args, timers, timers + 2 * counts.timers - 1)
  spread('HSET', keys[7], args, at, take(2 * counts.outbox))
  local acked = at
  take(2 * counts.acked)
  spread('HSET', keys[8], args, at, take(2 * counts.marks))
  for i = acked, acked + 2 * counts.acked - 1, 2 do acknowledge(keys[7], keys[8], args[i], tonumber(args[i + 1])) end
  spread('HSET', keys[9], args, at, take(2 * counts.projections))
  spread('RPUSH', keys[10], args, at, take(counts.dead))
  if counts.dead > 0 then call('LTRIM', keys[10], -counts.deadMax, -1) end

  local reply = { 'done' }
  for i = 1, counts.topics do
    local name, published = args[at], tonumber(args[at + 1])
    reply[i + 1] = call('HINCRBY', keys[11], name, published) - published
    publish(keys[11 + i], args, at + 2, at + 1 + published, counts.historyMax)
    at = at + 2 + published
  end
  for i = 12 + counts.topics, #keys do at = changeView(keys[i], args, at) end

  call('HSET', shard, 'commits', args[3], 'seq', first + counts.entries - 1, 'id', args[4], 'check', args[6])
  return reply
end)
