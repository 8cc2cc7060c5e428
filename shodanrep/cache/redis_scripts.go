package cache

import "github.com/redis/go-redis/v9"

// The entries about one target are the fields of one hash, so that they can be cleared at once and need no index. The
// field "@name" of an entry is "checked_at expires size", and "#name" is the body. The scripts take many hashes at a time.

// putScript stores entries. A hash expires with the last of its entries.
var putScript = redis.NewScript(`
for i, key in ipairs(KEYS) do
	local name, about, body, ttl = ARGV[4*i-3], ARGV[4*i-2], ARGV[4*i-1], tonumber(ARGV[4*i])
	local kind = redis.call('TYPE', key).ok
	if kind ~= 'hash' and kind ~= 'none' then
		redis.call('DEL', key)
	end
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

// getScript returns the two fields of entries. What is missing, of another type, or larger than any entry of ours, is nil:
// nothing of it is sent. ARGV[1] is the largest size.
var getScript = redis.NewScript(`
local found, most = {}, tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
	local about, body = '@' .. ARGV[i + 1], '#' .. ARGV[i + 1]
	local size = redis.pcall('HSTRLEN', key, about)
	if type(size) == 'number' and size > 0 and size < 100 and redis.call('HSTRLEN', key, body) <= most then
		found[i] = redis.call('HMGET', key, about, body)
	else
		found[i] = false
	end
end
return found
`)

// clearScript deletes hashes, and returns how many entries they had.
var clearScript = redis.NewScript(`
local n = 0
for _, key in ipairs(KEYS) do
	if redis.call('TYPE', key).ok == 'hash' then
		n = n + redis.call('HLEN', key) / 2
	end
	redis.call('DEL', key)
end
return n
`)

// pruneScript deletes the entries of hashes that have expired or are not of ours, and returns how many there were.
var pruneScript = redis.NewScript(`
local n, now = 0, tonumber(ARGV[1])
for _, key in ipairs(KEYS) do
	local fields = redis.call('TYPE', key).ok == 'hash' and redis.call('HKEYS', key) or {}
	for _, field in ipairs(fields) do
		if field:sub(1, 1) == '@' then
			local expires = tonumber(redis.call('HGET', key, field):match('^%S+ (%S+)') or '')
			if not (expires and expires > now) then
				redis.call('HDEL', key, field, '#' .. field:sub(2))
				n = n + 1
			end
		end
	end
end
return n
`)

// statsScript returns how many entries are in hashes, how many of them have expired, their size, and the times when the
// oldest and the newest were checked. An entry that is not of ours counts as expired.
var statsScript = redis.NewScript(`
local n, expired, bytes, oldest, newest, now = 0, 0, 0, 0, 0, tonumber(ARGV[1])
for _, key in ipairs(KEYS) do
	local fields = redis.call('TYPE', key).ok == 'hash' and redis.call('HKEYS', key) or {}
	for _, field in ipairs(fields) do
		if field:sub(1, 1) == '@' then
			local checked, expires = redis.call('HGET', key, field):match('^(%S+) (%S+)')
			checked, expires = tonumber(checked or ''), tonumber(expires or '')
			if not (expires and expires > now) then expired = expired + 1 end
			if checked and (oldest == 0 or checked < oldest) then oldest = checked end
			if checked and checked > newest then newest = checked end
			n, bytes = n + 1, bytes + redis.call('HSTRLEN', key, '#' .. field:sub(2)) + #key + #field
		end
	end
end
return {n, expired, bytes, oldest, newest}
`)
