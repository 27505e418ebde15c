-- Reads that need more than one key at one moment, or a key's content to find the next. They write nothing.

-- KEYS  1 shard  2 timers  3 outbox  4 marks  5 projections
-- gives {{commits, seq, id, checksum, last seq trimmed, losses, numbers}, timers, outbox, marks, projections}, the last four as flat pairs
define('read_shard', { 'no-writes' }, function(keys)
  return {
    call('HMGET', keys[1], 'commits', 'seq', 'id', 'check', 'trimmed', 'losses', 'numbers'),
    call('HGETALL', keys[2]),
    call('HGETALL', keys[3]),
    call('HGETALL', keys[4]),
    call('HGETALL', keys[5]),
  }
end)

-- Appends an entry to a row of them: a msgpack array of its id and the values of its fields, without their names. Rows
-- are one value of a reply (entry-rows.ts reads them): a value for every field costs its reader more than all the rest.
-- Only where a function has to find the entries: making rows costs the server five times what XRANGE does.
local function addRow(rows, entry)
  local fields, row = entry[2], { entry[1] }
  for i = 2, #fields, 2 do row[#row + 1] = fields[i] end
  rows[#rows + 1] = cmsgpack.pack(row)
end

-- The entries of an index record (records.ts: checksum, then msgpack of version, snapshot's version, the first seq of
-- the tail and the distances of the others) as rows, consecutive ones in one command.
local function tailOf(journal, record)
  if isSnapshot(record) then return '' end
  local readable, index = pcall(cmsgpack.unpack, string.sub(record, 5))
  if not readable or type(index) ~= 'table' then return '' end
  local tail, seq, i = {}, 0, 3
  while type(index[i]) == 'number' do
    local first = seq + index[i]
    seq = first
    while index[i + 1] == 1 do
      i = i + 1
      seq = seq + 1
    end
    for _, entry in ipairs(call('XRANGE', journal, first .. '-0', seq .. '-0')) do
      addRow(tail, entry)
    end
    i = i + 1
  end
  return table.concat(tail)
end

-- KEYS  1 actors  2 snapshots  3 journal  4 shard
-- ARGV  1 commits that the caller was answered  2… fields of actors
-- gives nothing when they are not there, else per actor {index or the snapshot that stands for it, snapshot or nothing, rows of the tail's entries}, or {} for an actor without an index
define('read_actors', { 'no-writes' }, function(keys, args)
  if (tonumber(call('HGET', keys[4], 'commits') or 0) or 0) < tonumber(args[1]) then return false end
  local indexes = call('HMGET', keys[1], unpack(args, 2))
  local snapshots = call('HMGET', keys[2], unpack(args, 2))
  local records = {}
  for i = 1, #args - 1 do
    records[i] = indexes[i] and { indexes[i], snapshots[i], tailOf(keys[3], indexes[i]) } or {}
  end
  return records
end)

-- KEYS  1 shard  2 topics  3 the topic's list
-- ARGV  1 topic  2 offset to begin after  3 limit
-- gives {topics' epoch or nothing, head, number kept, offset of the first one given, publications}
define('read_topic', { 'no-writes' }, function(keys, args)
  local head = tonumber(call('HGET', keys[2], args[1]) or 0)
  local kept = call('LLEN', keys[3])
  local skipped = math.max(0, tonumber(args[2]) - (head - kept))
  local limit = tonumber(args[3])
  local publications = limit > 0 and call('LRANGE', keys[3], skipped, skipped + limit - 1) or {}
  return { call('HGET', keys[1], 'topics'), head, kept, head - kept + skipped + 1, publications }
end)

-- KEYS  1 view
-- ARGV  keys of rows, as they stand in members
-- gives per key the member, or nothing
define('read_rows', { 'no-writes' }, function(keys, args)
  local members = {}
  for i = 1, #args do
    members[i] = call('ZRANGEBYLEX', keys[1], '[' .. args[i] .. '\0', '(' .. args[i] .. '\1', 'LIMIT', 0, 1)[1] or false
  end
  return members
end)
