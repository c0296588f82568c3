"""The Lua scripts of commands that change stored state: hold a shard, change it, let it go, freeze it."""

from stream.store.scripts import Script

#: Hold a shard for a command. KEYS[1] meta; ARGV owner, command, new incarnation, mode. Mode "force"
#: takes over a shard that another command holds, "new" takes only one that is not stored.
#: Returns "OK" and the epoch, or "HELD" and the other command, or "STORED".
#: From now on the owner before is fenced, and no worker can claim the shard.
HOLD = Script("""
local meta = KEYS[1]
if redis.call('EXISTS', meta) == 0 then
  local epoch = string.format('%d000', redis.call('TIME')[1])
  redis.call('HSET', meta, 'incarnation', ARGV[3], 'epoch', epoch, 'version', '',
             'partitions', '', 'position', '', 'sequence', 0, 'state', '')
elseif ARGV[4] == 'new' then
  return {'STORED', ''}
end
local held = redis.call('HGET', meta, 'held')
if held and held ~= ARGV[2] and ARGV[4] ~= 'force' then return {'HELD', held} end
local epoch = redis.call('HINCRBY', meta, 'epoch', 1)
redis.call('HSET', meta, 'owner', ARGV[1], 'held', ARGV[2])
return {'OK', epoch}
""")

#: Change a held shard. KEYS[1] meta, then the keys of the command; ARGV epoch, owner, command, its
#: arguments. Returns OK, or FENCED if another command or worker has taken the shard.
CHANGE_HELD = Script("""
local m = redis.call('HMGET', KEYS[1], 'epoch', 'owner')
if m[1] ~= ARGV[1] or m[2] ~= ARGV[2] then return 'FENCED' end
if ARGV[3] == 'UNLINK' then
  for i = 2, #KEYS do redis.call('UNLINK', KEYS[i]) end
else
  redis.call(ARGV[3], KEYS[2], unpack(ARGV, 4))
end
return 'OK'
""")

#: Let a held shard go: workers may claim it. KEYS[1] meta; ARGV epoch, owner. Returns OK or FENCED.
RELEASE = Script("""
local m = redis.call('HMGET', KEYS[1], 'epoch', 'owner')
if m[1] ~= ARGV[1] or m[2] ~= ARGV[2] then return 'FENCED' end
redis.call('HSET', KEYS[1], 'owner', '')
redis.call('HDEL', KEYS[1], 'held')
return 'OK'
""")

#: Copy all keys of a shard beside it, as of one checkpoint. KEYS[1] meta, then pairs of a key and its
#: copy; ARGV the position and epoch at which the keys were listed. Returns OK, or MOVED to list anew.
FREEZE = Script("""
local m = redis.call('HMGET', KEYS[1], 'position', 'epoch')
if m[1] ~= ARGV[1] or m[2] ~= ARGV[2] then return 'MOVED' end
for i = 2, #KEYS, 2 do redis.call('COPY', KEYS[i], KEYS[i + 1], 'REPLACE') end
return 'OK'
""")

#: Sum of the bytes of KEYS, which share a slot; Redis estimates large ones from samples.
MEMORY_USAGE = Script("""
local bytes = 0
for _, key in ipairs(KEYS) do
  bytes = bytes + (redis.call('MEMORY', 'USAGE', key) or 0)
end
return bytes
""")
