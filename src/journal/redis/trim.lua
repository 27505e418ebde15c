-- Takes the oldest entries out of a shard's journal, once an archive has them. Fenced as a commit is. The stream keeps its
-- last id, also when nothing is left in it, so that the numbers go on and the head can still be compared with it.
-- KEYS  1 shard  2 journal
-- ARGV  1 epoch  2 nonce  3 seq of the last entry to go
-- gives {'done'}, {'epoch', epoch, nonce} or {'head', seq}
define('trim', {}, function(keys, args)
  local state = call('HMGET', keys[1], 'epoch', 'nonce', 'seq', 'trimmed')
  if state[1] ~= args[1] or state[2] ~= args[2] then return { 'epoch', state[1] or '0', state[2] or '' } end
  local upto = tonumber(args[3])
  if upto > (tonumber(state[3]) or 0) then return { 'head', state[3] or '0' } end
  if upto <= (tonumber(state[4]) or 0) then return { 'done' } end
  -- What is said to be gone and is not there is read from the archive; the other way round it would be missing.
  call('HSET', keys[1], 'trimmed', args[3])
  call('XTRIM', keys[2], 'MINID', string.format('%.0f-0', upto + 1))
  return { 'done' }
end)
