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
local function ring(channel)
  attempt('SPUBLISH', channel, '')
end
