package ratelimit

import "github.com/redis/go-redis/v9"

// takeScript admits requests of a rate by Redis' own clock. A caller's first run gets a place in the plan, which serves
// the callers in turn; it comes again when that is due. Then it is admitted, if those before it have kept to the plan,
// or comes once more. Where many are late for their turns, those who come too early make up for it: the first of them
// takes the next. It returns how many microseconds the caller has to wait, or -1 where it is admitted, and how many
// processes have come within the last minute. KEYS[1] has the times when what is planned and what was admitted is used
// up (the theoretical arrival times of the generic cell rate algorithm), KEYS[2] the processes. ARGV: the microseconds
// between two requests, how many of them a burst may run ahead, the microseconds to wait where nothing is known of
// requests before, who comes, and 1 where it has had its place.
var takeScript = redis.NewScript(`
local interval, hold = tonumber(ARGV[1]), tonumber(ARGV[3])
local ahead = ARGV[2] * interval
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
for i, want in ipairs({'hash', 'zset'}) do
	local kind = redis.call('TYPE', KEYS[i]).ok
	if kind ~= want and kind ~= 'none' then
		redis.call('DEL', KEYS[i])
	end
end
redis.call('ZADD', KEYS[2], now, ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 60000000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], string.format('(%.0f', now), '+inf')
redis.call('EXPIRE', KEYS[2], 60)
local peers = redis.call('ZCARD', KEYS[2])

local planned, admitted = unpack(redis.call('HMGET', KEYS[1], 'planned', 'admitted'))
planned, admitted = tonumber(planned or 0), tonumber(admitted or 0)
local latest = now + hold + ahead + (peers + 1) * math.max(interval, tonumber(ARGV[6]))
if not (planned and admitted and planned <= latest and admitted <= latest) then
	planned, admitted = now + hold + ahead, now + hold + ahead
elseif admitted == 0 and hold > 0 then
	planned, admitted = now + hold + ahead, now + hold + ahead
end
local wait
if ARGV[5] ~= '1' then
	planned = math.max(planned, now)
	wait = planned - ahead - now
	planned = planned + interval
end
if not wait or wait <= 0 then
	wait = admitted - ahead - now
	if wait <= 0 then
		wait = -1
		admitted = math.max(admitted, now) + interval
	end
end
redis.call('HSET', KEYS[1], 'planned', string.format('%.0f', planned), 'admitted', string.format('%.0f', admitted))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((math.max(planned, admitted) - now) / 1000) + 1000))
return {math.ceil(wait), peers}
`)

// delayScript makes what was admitted at a rate be used up later. KEYS[1] is the rate, as takeScript has it, ARGV[1] by
// how many microseconds.
var delayScript = redis.NewScript(`
local admitted = tonumber(redis.call('HGET', KEYS[1], 'admitted') or 0)
if admitted > 0 then
	redis.call('HSET', KEYS[1], 'admitted', string.format('%.0f', admitted + ARGV[1]))
	redis.call('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[1]) + math.ceil(ARGV[1] / 1000))
end
return 1
`)

// boundScript makes a lease end after ARGV[1] milliseconds at the latest, and deletes what is no lease at all.
var boundScript = redis.NewScript(`
if redis.call('TYPE', KEYS[1]).ok ~= 'string' then
	return redis.call('DEL', KEYS[1])
end
local left, most = redis.call('PTTL', KEYS[1]), tonumber(ARGV[1])
if left == -1 or left > most then
	redis.call('PEXPIRE', KEYS[1], most)
end
return 0
`)

// renewScript makes a lease that is still the caller's, ARGV[1], end after ARGV[2] milliseconds.
var renewScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then
	return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
`)

// releaseScript deletes a lease where it is still the caller's.
var releaseScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then
	return redis.call('DEL', KEYS[1])
end
return 0
`)
