"""What Redis itself runs: merging records, and reading them all. Each script is atomic there, and touches one key.

The key is a hash. Each record is one field of it, by its quoted id, as text:

    <sum> <expires>
    <name> <numbers>
    ...

Numbers stay the text they were written as; only comparing makes doubles of them, as Python does.
The sum is over the key, the id and the rest, so that what was not written here, or was damaged
on its way, is told apart. One field more, the clock, holds ``<epoch> <version>``. A new epoch
starts wherever the hash was not there: it was emptied, evicted, or another server took over
without it. The version counts the changes; each is published with its own, so that whoever
listens can tell that one is missing.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

CLOCK = "<clock>"
"""No quoted id has a ``<`` in it."""
CHANNEL = ":changed"
"""What follows the key in the name of the channel."""
_PAGE = 200
"""Records read by one run, or about as many; Redis does nothing else meanwhile, for a few milliseconds."""

_NAMES = f"local key, clock, channel = KEYS[1], '{CLOCK}', KEYS[1] .. '{CHANNEL}'"
_COMMON = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6

local function summed(id, rest)
  return redis.sha1hex(key .. '\\n' .. id .. '\\n' .. rest):sub(1, 16)
end

local function read(id, text)
  local sum, rest = text:match('^(%x+) (.*)$')
  if not sum or sum ~= summed(id, rest) then return nil end
  local fields = {}
  for name, numbers in rest:gmatch('\\n(%S+) ([^\\n]*)') do fields[name] = numbers end
  return { expires = rest:match('^%S+'), fields = fields }
end

-- The whole hash goes when its last record would, and no sooner than a day after it was looked at.
local function kept_until(expires)
  local seconds = math.ceil(math.min(math.max(expires - now, 86400), 315360000))
  if redis.call('TTL', key) < seconds then redis.call('EXPIRE', key, seconds) end
end

-- A hash that was not there begins an epoch, by the name the caller thought of.
local function ticked(by)
  local epoch, version = (redis.call('HGET', key, clock) or ''):match('^(%x+) (%d+)$')
  local new = not epoch
  if by > 0 or new then
    epoch, version = epoch or ARGV[1], string.format('%.0f', (version or 0) + by)
    redis.call('HSET', key, clock, epoch .. ' ' .. version)
  end
  if new then kept_until(now) end
  return epoch .. ' ' .. version
end
"""

LOAD = (
    _NAMES
    + _COMMON
    + f"""
local page = redis.call('HSCAN', key, ARGV[2], 'COUNT', {_PAGE})
local found, reply = page[2], {{ page[1] }}
for i = 1, #found, 2 do
  local id, text = found[i], found[i + 1]
  if id ~= clock then
    local record = read(id, text)
    if record and tonumber(record.expires) > now then
      reply[#reply + 1], reply[#reply + 2] = id, text
    else
      redis.call('HDEL', key, id)
    end
  end
end
kept_until(now)
return reply
"""
)
"""Reads a page; drops what has expired, or was not written here. Arguments: a name for an epoch, which is not needed,
and where the page begins, first ``0``. Returns where the next one begins, ``0`` after the last, then by turns an id
and a record. What does not change while all are read is on one of them, twice perhaps."""

SAVE = (
    _NAMES
    + _COMMON
    + """
-- What is no number is less than any. Lua reads hexadecimal, which Python does not.
local function numbers(text)
  local found = {}
  for word in text:gmatch('%S+') do
    local number = not word:find('[xX]') and tonumber(word)
    if not number or number ~= number then return {} end
    found[#found + 1] = number
  end
  return found
end

-- As Python compares tuples: the first that differ decide, and of two that do not the longer is greater.
local function greater(one, other)
  local a, b = numbers(one), numbers(other)
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] then return not b[i] or (a[i] and a[i] > b[i]) end
  end
  return false
end

local function written(id, record)
  local lines = { record.expires }
  for name, text in pairs(record.fields) do lines[#lines + 1] = name .. ' ' .. text end
  local rest = table.concat(lines, '\\n')
  return summed(id, rest) .. ' ' .. rest
end

local function merge(id, sent)
  local kept, changed = read(id, redis.call('HGET', key, id) or ''), false
  if kept then
    for name, text in pairs(sent.fields) do
      if not kept.fields[name] or greater(text, kept.fields[name]) then
        kept.fields[name], changed = text, true
      end
    end
    if tonumber(sent.expires) > tonumber(kept.expires) then kept.expires, changed = sent.expires, true end
  else
    kept, changed = sent, true
  end
  if not changed then return end
  local text = written(id, kept)
  redis.call('HSET', key, id, text)
  local at = ticked(1)
  kept_until(tonumber(kept.expires))
  redis.call('PUBLISH', channel, at .. ' ' .. id .. '\\n' .. text)
end

for i = 2, #ARGV, 2 do
  local sent = read(ARGV[i], ARGV[i + 1])
  if not sent then return redis.error_reply('ERR a record was damaged on its way') end
  merge(ARGV[i], sent)
end
return ticked(0)
"""
)
"""Arguments: a name for an epoch, then by turns an id and a record. Publishes what changed; returns the clock."""


class Clock(NamedTuple):
    """Where a hash is in its life."""

    epoch: str
    version: int

    @classmethod
    def read(cls, text: str) -> Clock:
        """What the hash or a reply says.

        Raises:
            ValueError: it is not a clock.
        """
        epoch, version = text.split(" ")
        return cls(epoch, int(version))


def summed(key: str, quoted_id: str, rest: str) -> str:
    """The sum of a record, as the scripts reckon it."""
    text = f"{key}\n{quoted_id}\n{rest}".encode()
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()[:16]


def text_of(reply: object) -> str:
    """A reply as text, whether the client decodes or not; what was written here is ASCII."""
    return reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply)


def sha(script: str) -> str:
    """What Redis calls a script it has seen."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
