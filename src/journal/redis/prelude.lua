#!lua name=@library@

-- What the functions of the library share. Everything they do to a shard is one call with keys of one slot; a function
-- that fails in its second write keeps the first, so each of them asks everything that could fail before it writes.
-- The functions' names carry the library's, which changes with every change of this code: programs of two versions use
-- one server side by side during an upgrade.

-- redis.call and redis.pcall, which do not exist yet while the library is loaded.
local call, attempt

-- Lua's unpack fails at about 8,000 values. Even, so that pairs are never torn apart.
local chunk = 6000

local function define(name, flags, callback)
  redis.register_function({
    function_name = '@library@_' .. name,
    callback = function(keys, args)
      call, attempt = redis.call, redis.pcall
      return callback(keys, args)
    end,
    flags = flags,
  })
end

-- Whether an actor's record is a snapshot that stands for its index: behind the checksum a number begins, no array.
local function isSnapshot(record)
  local first = string.byte(record, 5)
  return first ~= nil and (first < 0x80 or (first >= 0xcc and first <= 0xcf))
end

-- The field of an address and back: an id stands in it as its 16 bytes, behind a type whose last character
-- has its highest bit set (records.ts).
local function fieldOf(address)
  local four = '([0-9a-f][0-9a-f][0-9a-f][0-9a-f])'
  local type, a, b, c, d, e, f, g, h = string.match(address,
    '^([^/]+)/' .. four .. four .. '%-' .. four .. '%-' .. four .. '%-' .. four .. '%-' .. four .. four .. four .. '$')
  if not type then return address end
  local id = string.gsub(a .. b .. c .. d .. e .. f .. g .. h, '..', function(byte) return string.char(tonumber(byte, 16)) end)
  return string.sub(type, 1, -2) .. string.char(string.byte(type, -1) + 128) .. id
end

local function addressOf(field)
  local last = string.find(field, '[\128-\255]')
  if not last then return field end
  local type = string.sub(field, 1, last - 1) .. string.char(string.byte(field, last) - 128)
  local id = string.gsub(string.sub(field, last + 1), '.', function(byte)
    return string.format('%02x', string.byte(byte))
  end)
  return string.format('%s/%s-%s-%s-%s-%s', type, string.sub(id, 1, 8), string.sub(id, 9, 12), string.sub(id, 13, 16),
    string.sub(id, 17, 20), string.sub(id, 21))
end

-- One variadic command over `count` arguments from `at` on, in chunks. Gives the position behind them, and the sum of
-- the replies.
local function spread(command, key, args, at, count)
  local behind, sum = at + count, 0
  while at < behind do
    local upto = at + chunk - 1
    if upto >= behind then upto = behind - 1 end
    sum = sum + call(command, key, unpack(args, at, upto))
    at = upto + 1
  end
  return behind, sum
end

-- Tells whoever listens on a shard's channel to look. That nobody can be told (a user without rights to channels) is no
-- reason for a write to fail.
local function ring(channel, message)
  attempt('SPUBLISH', channel, message or '')
end
