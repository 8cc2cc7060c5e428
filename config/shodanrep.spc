connection "shodanrep" {
  plugin = "local/shodanrep"

  # Every argument is optional. Without any, addresses are looked up in Shodan's InternetDB, which is free for
  # non-commercial use and needs no key. The values shown are the defaults, but for the key and the files.

  # The API key, from https://account.shodan.io. Without it the environment variable SHODAN_API_KEY is used,
  # or the key file of Shodan's command line (~/.config/shodan/api_key, ~/.shodan/api_key).
  # api_key = "YOUR_API_KEY"

  # Which source answers: "auto" (the dataset, else the REST API where a key is set and its plan allows look-ups, else
  # InternetDB), "dataset", "shodan" or "internetdb". A query can choose with where source = '…'.
  # source = "auto"

  # Files that "shodan download" wrote (.json.gz or .json). What is in them is answered from them, at no cost.
  # data_files = ["~/shodan/*.json.gz"]

  # The longest list of addresses that "auto" looks up on the REST API; a longer one goes to InternetDB.
  # api_lookup_limit = 100

  # Whether up to 100 addresses go to the REST API in one request: "auto" tries once whether the plan allows it,
  # "on", "off".
  # bulk_lookup = "auto"

  # How many related hosts the correlation tables return for each value they search for.
  # correlation_limit = 20

  # How many rows a search may have; one with more is an error. Each hundred cost a query credit.
  # search_limit = 1000

  # How many addresses a network may have whose addresses are looked up; a larger one is an error.
  # network_limit = 4096

  # Requests a second to the REST API. Shodan allows one for each key.
  # requests_per_second = 1

  # Requests a second to InternetDB, after a burst of at most 100. Halved when it answers too many requests, and
  # stopped when it bans.
  # internetdb_requests_per_second = 10

  # How many addresses, or CVEs, are looked up at once.
  # max_concurrency = 32

  # How long a service may take for one look-up, its retries included; waiting for one's turn does not count.
  # timeout = "10s"

  # Where answers are kept: "on" (a SQLite file in your cache folder), "memory", "off", a path, or a redis:// address.
  # cache = "on"

  # How long the REST API's answers are kept. InternetDB says itself how long, which is five days; what CVEDB says of a
  # CVE is kept for a week.
  # cache_ttl = "24h"

  # How large the cache may grow; the oldest answers go first.
  # cache_max_size = "512MB"

  # The policy that scores: "baseline", "extended", or the path of a file of your own. A query can choose one with
  # where policy = '…'.
  # policy = "baseline"

  # Addresses, networks and autonomous systems that you vouch for, or do not want, each with the reason after a space;
  # @ and a path is a file of such lines. The columns listed and list_reason say so, and the extended policy heeds them.
  # allow_list = ["192.0.2.10 our scanner", "AS64496 our provider"]
  # deny_list  = ["203.0.113.0/24 attacked us in May"]

  # Where the services are. SHODAN_API_URL sets api_url too.
  # api_url        = "https://api.shodan.io"
  # internetdb_url = "https://internetdb.shodan.io"
  # cvedb_url      = "https://cvedb.shodan.io"
  # exploits_url   = "https://exploits.shodan.io"
}
