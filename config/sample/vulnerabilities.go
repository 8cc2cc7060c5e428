package main

import "fmt"

// vulnerability is roughly what is known of a CVE.
type vulnerability struct {
	cvss, epss float64
	exploited  bool // listed as known to be exploited
	summary    string
}

var known = map[string]vulnerability{
	"CVE-2014-0160":  {7.5, 0.94, true, "OpenSSL discloses memory to a heartbeat request"},
	"CVE-2015-1427":  {9.8, 0.92, true, "Elasticsearch runs commands from a search's script"},
	"CVE-2016-20012": {5.3, 0.22, false, "OpenSSH confirms whether a key may log in"},
	"CVE-2017-0144":  {8.8, 0.94, true, "Windows SMBv1 runs code from crafted packets"},
	"CVE-2018-15473": {5.3, 0.9, false, "OpenSSH confirms which users there are"},
	"CVE-2019-0211":  {7.8, 0.85, true, "Apache httpd lets a worker become root"},
	"CVE-2019-0708":  {9.8, 0.94, true, "Windows Remote Desktop runs code before anyone logs in"},
	"CVE-2019-11510": {10, 0.94, true, "Pulse Connect Secure lets anyone read its files"},
	"CVE-2020-0796":  {10, 0.94, true, "Windows SMBv3 runs code from crafted packets"},
	"CVE-2020-14145": {5.9, 0.02, false, "OpenSSH shows whether a key is known"},
	"CVE-2020-15778": {7.8, 0.63, false, "OpenSSH's scp runs commands in file names"},
	"CVE-2021-23017": {7.7, 0.74, false, "nginx overwrites memory on a crafted DNS answer"},
	"CVE-2021-26690": {7.5, 0.6, false, "Apache httpd crashes on a crafted session cookie"},
	"CVE-2021-26691": {9.8, 0.7, false, "Apache httpd overflows on a crafted session header"},
	"CVE-2021-26855": {9.1, 0.94, true, "Microsoft Exchange is made to send requests"},
	"CVE-2021-31207": {6.6, 0.94, true, "Microsoft Exchange bypasses a security feature"},
	"CVE-2021-33193": {7.5, 0.01, false, "Apache httpd splits HTTP/2 requests"},
	"CVE-2021-34473": {9.1, 0.94, true, "Microsoft Exchange runs code without a login"},
	"CVE-2021-34523": {9, 0.94, true, "Microsoft Exchange gives too many privileges"},
	"CVE-2021-34798": {7.5, 0.1, false, "Apache httpd crashes on a malformed request"},
	"CVE-2021-36368": {3.7, 0.01, false, "OpenSSH agent forwarding is confused"},
	"CVE-2021-39275": {9.8, 0.46, false, "Apache httpd writes beyond a buffer"},
	"CVE-2021-40438": {9, 0.94, true, "Apache httpd's proxy sends requests where it is told"},
	"CVE-2021-41617": {7, 0.01, false, "OpenSSH runs helpers with too many groups"},
	"CVE-2021-41773": {7.5, 0.94, true, "Apache httpd serves files outside its folders"},
	"CVE-2021-42013": {9.8, 0.94, true, "Apache httpd serves files outside its folders, again"},
	"CVE-2021-44224": {8.2, 0.15, false, "Apache httpd's proxy crashes or is misled"},
	"CVE-2021-44228": {10, 0.94, true, "Log4j runs code named in a logged text"},
	"CVE-2021-44790": {9.8, 0.86, false, "Apache httpd's mod_lua overflows"},
	"CVE-2022-0543":  {10, 0.94, true, "Redis on Debian runs code outside the Lua sandbox"},
	"CVE-2022-22719": {7.5, 0.1, false, "Apache httpd's mod_lua reads random memory"},
	"CVE-2022-22720": {9.8, 0.35, false, "Apache httpd can be made to smuggle requests"},
	"CVE-2022-31813": {9.8, 0.01, false, "Apache httpd drops X-Forwarded headers"},
	"CVE-2022-40684": {9.8, 0.94, true, "FortiOS lets anyone administer it"},
	"CVE-2022-41040": {8.8, 0.94, true, "Microsoft Exchange lets users send its requests"},
	"CVE-2022-41082": {8, 0.92, true, "Microsoft Exchange runs a user's code"},
	"CVE-2022-42475": {9.8, 0.93, true, "FortiOS runs code from crafted VPN requests"},
	"CVE-2023-25690": {9.8, 0.69, false, "Apache httpd's proxy smuggles requests"},
	"CVE-2023-27997": {9.8, 0.92, true, "FortiOS overflows on crafted VPN requests"},
	"CVE-2023-27898": {9.6, 0.03, false, "Jenkins shows scripts of a plugin's description"},
	"CVE-2023-38408": {9.8, 0.66, false, "OpenSSH's agent loads libraries it should not"},
	"CVE-2023-44487": {7.5, 0.94, true, "HTTP/2 servers are exhausted by streams that are reset"},
	"CVE-2023-48795": {5.9, 0.53, false, "SSH connections lose messages unnoticed"},
	"CVE-2024-21762": {9.8, 0.92, true, "FortiOS writes beyond a buffer"},
	"CVE-2024-23113": {9.8, 0.6, true, "FortiOS runs code from crafted packets"},
	"CVE-2024-23897": {9.8, 0.94, true, "Jenkins lets anyone read its files"},
	"CVE-2024-6387":  {8.1, 0.7, false, "OpenSSH has a race that may run code before anyone logs in"},
}

// vulnerabilities returns the vulns key of a banner. In old banners the score is a string and there is no kev.
func vulnerabilities(ids []string, verified string, old bool) map[string]any {
	found := map[string]any{}
	for _, id := range ids {
		v, ok := known[id]
		if !ok {
			panic("what is " + id + "?")
		}
		detail := map[string]any{
			"cvss": v.cvss, "cvss_v2": nil, "cvss_version": 3.1, "epss": v.epss, "ranking_epss": min(0.999, v.epss+0.05),
			"references": []string{"https://nvd.nist.gov/vuln/detail/" + id}, "summary": v.summary, "verified": id == verified,
		}
		if old {
			detail["cvss"] = fmt.Sprint(v.cvss)
		} else if v.exploited {
			detail["kev"] = true
		}
		found[id] = detail
	}
	return found
}
