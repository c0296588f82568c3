"""The Lua scripts that make a claim, a checkpoint and a publication one atomic, fenced step each."""

from collections.abc import Sequence
from hashlib import sha1
from typing import Any

from redis.exceptions import NoScriptError

from stream.store.connection import RedisClient


class Script:
    """A Lua script, sent whole only to a Redis that does not know it yet."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._digest = sha1(source.encode(), usedforsecurity=False).hexdigest()

    async def run(self, client: RedisClient, keys: Sequence[str], *arguments: Any) -> Any:
        """Run the script on these keys, which share a slot; return its answer."""
        rest = (len(keys), *keys, *arguments)
        try:
            return await client.execute_command("EVALSHA", self._digest, *rest)
        except NoScriptError:
            return await client.execute_command("EVAL", self.source, *rest)


#: Claim a shard. KEYS[1] meta; ARGV owner, new incarnation, the state versions that this worker reads,
#: the one that it stores last, partition count, cluster, then field and id of each topic; an empty
#: cluster is unknown.
#: Returns "OK" and the whole meta hash, or "REFUSED", field, stored value, with nothing changed.
#: A stored state without an id learns it.
CLAIM = Script("""
local meta = KEYS[1]
local is_new = redis.call('EXISTS', meta) == 0
local reads, own = {}, ''
for version in string.gmatch(ARGV[3], '%d+') do reads[version] = true; own = version end
local ids = {}
if ARGV[5] ~= '' then ids[1] = 'cluster'; ids[2] = ARGV[5] end
for at = 6, #ARGV do ids[#ids + 1] = ARGV[at] end
if not is_new then
  local held = redis.call('HGET', meta, 'held')
  if held then return {'REFUSED', 'held', held} end
  local version = redis.call('HGET', meta, 'version')
  if not reads[version or ''] then return {'REFUSED', 'version', version or ''} end
  for at = 1, #ids, 2 do
    local id = redis.call('HGET', meta, ids[at])
    if id and id ~= ids[at + 1] then return {'REFUSED', ids[at], id} end
  end
  local partitions = redis.call('HGET', meta, 'partitions')
  if partitions ~= ARGV[4] then return {'REFUSED', 'partitions', partitions or ''} end
else
  -- Epochs begin with the time: an epoch that outlived the state (a publisher's) is never ahead.
  local epoch = string.format('%d000', redis.call('TIME')[1])
  redis.call('HSET', meta, 'incarnation', ARGV[2], 'epoch', epoch,
             'partitions', ARGV[4], 'position', '', 'sequence', 0, 'state', '')
end
redis.call('HINCRBY', meta, 'epoch', 1)
redis.call('HSET', meta, 'owner', ARGV[1], 'version', own, unpack(ids))
return {'OK', redis.call('HGETALL', meta)}
""")

#: Store a checkpoint. KEYS[1] meta, then every key that is written.
#: ARGV incarnation, epoch, owner, expected position, reached position, sequence, state,
#: the writes as JSON [[command, key number, number of arguments], …], and then all arguments.
#: Returns OK, LOST, FENCED, CONFLICT or WRONGTYPE.
#:
#: Types are checked before any write, since a script does not roll back. meta is written first: if
#: Redis refuses for lack of memory, it refuses there, and nothing has changed. `unpack` takes at
#: most about 7,900 arguments, hence the slices.
STORE_CHECKPOINT = Script("""
local meta = KEYS[1]
local m = redis.call('HMGET', meta, 'incarnation', 'epoch', 'owner', 'position')
if not m[1] or m[1] ~= ARGV[1] then return 'LOST' end
if m[2] ~= ARGV[2] or m[3] ~= ARGV[3] then return 'FENCED' end
if m[4] ~= ARGV[4] then return 'CONFLICT' end
local types = {HSET = 'hash', HDEL = 'hash', ZADD = 'zset', ZREM = 'zset'}
local writes = cjson.decode(ARGV[8])
for _, w in ipairs(writes) do
  local found = redis.call('TYPE', KEYS[w[2]])['ok']
  if types[w[1]] and found ~= 'none' and found ~= types[w[1]] then return 'WRONGTYPE' end
end
redis.call('HSET', meta, 'position', ARGV[5], 'sequence', ARGV[6], 'state', ARGV[7],
           'stored_at', redis.call('TIME')[1])
local at = 9
for _, w in ipairs(writes) do
  local last = at + w[3] - 1
  if w[3] == 0 then redis.call(w[1], KEYS[w[2]]) end
  while at <= last do
    local slice = math.min(at + 6999, last)
    redis.call(w[1], KEYS[w[2]], unpack(ARGV, at, slice))
    at = slice + 1
  end
end
return 'OK'
""")

#: Publish. KEYS[1] publisher hash, KEYS[2] snapshot; ARGV owner, epoch, revision before, revision, progress,
#: snapshot. Returns OK or FENCED. The epoch is that of shard 0, so a newer owner always wins.
PUBLISH = Script("""
local p = redis.call('HMGET', KEYS[1], 'epoch', 'owner', 'revision')
local epoch = tonumber(p[1] or '0')
if epoch > tonumber(ARGV[2]) then return 'FENCED' end
if epoch == tonumber(ARGV[2]) and p[2] and p[2] ~= ARGV[1] then return 'FENCED' end
if (p[3] or '0') ~= ARGV[3] then return 'FENCED' end
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'owner', ARGV[1], 'revision', ARGV[4],
           'progress', ARGV[5], 'stored_at', redis.call('TIME')[1])
redis.call('SET', KEYS[2], ARGV[6])
return 'OK'
""")

#: Read counts as of one checkpoint. KEYS[1] meta, then the buckets; ARGV ids of series.
#: Returns sequence and epoch of the shard, and for each bucket its counts, false for none, as msgpack:
#: one text is far cheaper to take from the wire than thousands.
READ_COUNTS = Script("""
local meta = redis.call('HMGET', KEYS[1], 'sequence', 'epoch')
local found = {}
for bucket = 2, #KEYS do
  local counts = {}
  for at = 1, #ARGV, 7000 do
    local last = math.min(at + 6999, #ARGV)
    local part = redis.call('HMGET', KEYS[bucket], unpack(ARGV, at, last))
    if at == 1 then
      counts = part
    else
      for i = 1, #part do counts[at + i - 1] = part[i] end
    end
  end
  found[bucket - 1] = counts
end
return {meta[1], meta[2], cmsgpack.pack(found)}
""")
