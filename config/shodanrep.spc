connection "shodanrep" {
  plugin = "local/shodanrep"

  # Every argument is optional. Without any argument, addresses are looked up in Shodan's InternetDB, which is free for
  # non-commercial use and needs no key. The values shown are the defaults, except for the key, the files and the lists.

  # The API key, from https://account.shodan.io. If it is not set, the environment variable SHODAN_API_KEY is used, or
  # the key file of Shodan's command line (~/.config/shodan/api_key, ~/.shodan/api_key).
  # api_key = "YOUR_API_KEY"

  # The source of the data: "auto" (the dataset, else the REST API if a key is set and its plan allows lookups, else
  # InternetDB), "dataset", "shodan" or "internetdb". A query can select one with where source = '…'.
  # source = "auto"

  # The files with Shodan's data, as a list of paths, patterns or folders: what "shodan download" wrote, or responses
  # that you saved (of hosts, searches or InternetDB), plain or compressed. Addresses in these files need no request and
  # cost nothing. New files of a pattern or a folder are added by themselves.
  # data_files = ["~/shodan/*.json.gz"]

  # How much older than the newest file of its pattern or folder a data file may be, by its newest banner. Older ones are
  # left out. A file whose path is named itself always counts.
  # data_window = "30d"

  # Shodan's file internetdb.sqlite, as it is or compressed with bzip2, zstd or gzip. What would be requested from
  # InternetDB is then looked up in this file, without requests and without a rate limit.
  # internetdb_file = "~/shodan/internetdb.sqlite"

  # The maximum number of addresses in a list that "auto" looks up on the REST API. A longer list goes to InternetDB.
  # api_lookup_limit = 100

  # Bulk lookup sends up to 100 addresses to the REST API in one request: "auto" (tries once if the plan allows it),
  # "on" or "off".
  # bulk_lookup = "auto"

  # The maximum number of related hosts that the correlation tables return for each value.
  # correlation_limit = 20

  # The maximum number of rows of a search. A search with more rows is an error. Each hundred rows cost a query credit.
  # search_limit = 1000

  # The maximum number of addresses in a network. Looking up a larger network is an error.
  # network_limit = 4096

  # The rate limit for the REST API, in requests per second. Shodan allows one request per second for each key.
  # requests_per_second = 1

  # The rate limit for InternetDB, in requests per second, after a burst of at most 100. The rate is halved when
  # InternetDB responds "too many requests"; requests stop when it bans the client.
  # internetdb_requests_per_second = 10

  # The maximum number of addresses, or CVEs, that are looked up in parallel.
  # max_concurrency = 32

  # The timeout of one lookup, including its retries. The time spent waiting for the rate limit does not count.
  # timeout = "10s"

  # Where responses are cached: "on" (a SQLite file in your cache folder), "memory", "off", a path, or a redis:// address.
  # cache = "on"

  # How long responses of the REST API are cached. InternetDB sets the time in its responses, which is five days.
  # CVEDB's responses about a CVE are cached for a week.
  # cache_ttl = "24h"

  # The maximum size of the cache. The oldest responses are removed first.
  # cache_max_size = "512MB"

  # Where the history is kept: what each service said of each address, and when. "on" is a SQLite file in your data
  # folder (~/.local/share/shodanrep/history.sqlite); "off", a path, or a postgres:// address for a team. Addresses in
  # data files are not recorded.
  # history_store = "on"

  # How long the history keeps a state after it was last checked. The letter d stands for days.
  # history_keep = "400d"

  # The maximum size of the history. What was checked longest ago is removed first.
  # history_max_size = "1GB"

  # The policy that computes scores: "baseline", "extended", or the path of your own policy file. A query can select one
  # with where policy = '…'.
  # policy = "baseline"

  # The addresses, networks and autonomous systems that you trust or block, each with a reason after a space. An entry
  # of @ and a path names a file with such lines. The columns listed and list_reason show matches, and the extended
  # policy uses them.
  # allow_list = ["192.0.2.10 our scanner", "AS64496 our provider"]
  # deny_list  = ["203.0.113.0/24 attacked us in May"]

  # The URLs of the services. The environment variable SHODAN_API_URL also sets api_url.
  # api_url        = "https://api.shodan.io"
  # internetdb_url = "https://internetdb.shodan.io"
  # cvedb_url      = "https://cvedb.shodan.io"
  # exploits_url   = "https://exploits.shodan.io"
}
