package cache

import "github.com/redis/go-redis/v9"

// The answers about one subject are the fields of one hash, so that they can be cleared at once and need no index: for
// each answer "@name" is "checked_at expires size" and "#name" the body. The scripts take many hashes at a time.

// putScript keeps answers. A hash lives as long as the longest-lived of its answers.
var putScript = redis.NewScript(`
for i, key in ipairs(KEYS) do
	local name, about, body, ttl = ARGV[4*i-3], ARGV[4*i-2], ARGV[4*i-1], tonumber(ARGV[4*i])
	if ttl <= 0 then
		redis.call('HDEL', key, '@' .. name, '#' .. name)
	else
		redis.call('HSET', key, '@' .. name, about, '#' .. name, body)
		if redis.call('PTTL', key) < ttl then
			redis.call('PEXPIRE', key, ttl)
		end
	end
end
`)

// clearScript drops hashes, and returns how many answers they had.
var clearScript = redis.NewScript(`
local n = 0
for _, key in ipairs(KEYS) do
	n = n + redis.call('HLEN', key) / 2
	redis.call('DEL', key)
end
return n
`)

// pruneScript drops the answers that have expired from hashes that have not, and returns how many they were.
var pruneScript = redis.NewScript(`
local n, now = 0, tonumber(ARGV[1])
for _, key in ipairs(KEYS) do
	for _, field in ipairs(redis.call('HKEYS', key)) do
		if field:sub(1, 1) == '@' then
			local expires = redis.call('HGET', key, field):match('^%S+ (%S+)')
			if tonumber(expires) <= now then
				redis.call('HDEL', key, field, '#' .. field:sub(2))
				n = n + 1
			end
		end
	end
end
return n
`)

// statsScript returns how many answers are in hashes, how many of them have expired, their bytes, and the times when
// the oldest and the newest were checked.
var statsScript = redis.NewScript(`
local n, expired, bytes, oldest, newest, now = 0, 0, 0, 0, 0, tonumber(ARGV[1])
for _, key in ipairs(KEYS) do
	for _, field in ipairs(redis.call('HKEYS', key)) do
		if field:sub(1, 1) == '@' then
			local checked, expires, size = redis.call('HGET', key, field):match('^(%S+) (%S+) (%S+)')
			checked = tonumber(checked)
			if tonumber(expires) <= now then expired = expired + 1 end
			if n == 0 or checked < oldest then oldest = checked end
			if n == 0 or checked > newest then newest = checked end
			n, bytes = n + 1, bytes + tonumber(size) + #key + #field
		end
	end
end
return {n, expired, bytes, oldest, newest}
`)

// takeScript hands out the next slot of a rate by Redis' own clock, and returns how many microseconds it is away and
// how many processes have taken slots within the last minute. KEYS[1] holds when the slots that were handed out are
// used up (the generic cell rate algorithm's theoretical arrival time). ARGV: the microseconds between slots, those
// that a burst may run ahead, those to wait where nothing is known of the slots before, and who asks.
var takeScript = redis.NewScript(`
local interval, ahead, hold = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local used = tonumber(redis.call('GET', KEYS[1]) or now + ahead * math.min(hold, 1) + hold)
used = math.max(used, now)
local slot = math.max(now, used - ahead)
used = used + interval
redis.call('SET', KEYS[1], string.format('%.0f', used), 'PX', string.format('%.0f', math.ceil((used - now) / 1000) + 1000))
redis.call('ZADD', KEYS[2], now, ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 60000000)
redis.call('EXPIRE', KEYS[2], 60)
return {slot - now, redis.call('ZCARD', KEYS[2])}
`)

// releaseScript deletes a lease where it is still the caller's.
var releaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then
	return redis.call('DEL', KEYS[1])
end
return 0
`)
