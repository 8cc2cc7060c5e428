package policyfile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

// levels is what every policy without a base needs.
const levels = `
  level "critical" { at_least = 50 }
  level "high" { at_least = 35 }
  level "medium" { at_least = 15 }
`

// numbered returns n different CVE ids.
func numbered(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("CVE-2024-%04d", i+1)
	}
	return ids
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// mustParse reads a policy that is right, of which only the inside is given.
func mustParse(t *testing.T, inside string) *reputation.Policy {
	t.Helper()
	policy, err := policyfile.Parse([]byte("policy \"ours\" {\n"+inside+"\n}\n"), "ours.hcl")
	if err != nil {
		t.Fatalf("%v\n%s", err, inside)
	}
	return policy
}

// problemsOf reads a policy that is wrong, and returns what is wrong with it.
func problemsOf(t *testing.T, text string) []string {
	t.Helper()
	_, err := policyfile.Parse([]byte(text), "ours.hcl")
	var problems policyfile.Problems
	if err != nil && !errors.As(err, &problems) {
		t.Fatalf("the error has no lines: %v", err)
	}
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.String())
	}
	return texts
}

func TestAWrongPolicySaysWhereAndWhatIsAllowed(t *testing.T) {
	t.Parallel()
	factor := func(inside string) string {
		return `policy "ours" {` + levels + "factor \"f\" {\n" + inside + "\n}\n}"
	}
	tags := "match \"tags\" { values = [\"tor\"] }\n"
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":                       {"", `ours.hcl:1: there is no policy: write one as policy "name" { … }`},
		"no HCL":                        {"policy \"ours\" {\n", `ours.hcl:1: Unclosed configuration block`},
		"another block":                 {`rule "x" {}`, `the file has no block rule: blocks are policy`},
		"two policies":                  {`policy "a" {` + levels + "}\npolicy \"b\" {}", `ours.hcl:6: there is a second policy: write one policy per file`},
		"no name":                       {`policy {` + levels + `}`, `ours.hcl:1: Missing name for policy: All policy blocks must have 1 labels (name).`},
		"a name with spaces":            {`policy "Our policy" {` + levels + `}`, `policy "Our policy": use lower-case letters, digits, - and _, beginning with a letter`},
		"a name that is built in":       {`policy "baseline" {` + levels + `}`, `policy "baseline" is built in: choose another name, and begin with base = "baseline" to change some of it`},
		"an unknown argument":           {`policy "ours" {` + levels + "\nhistry = true\n}", `ours.hcl:6: a policy has no argument histry: arguments are base, description, history, without; blocks are confidence, factor, hosting, level`},
		"history that is no boolean":    {`policy "ours" {` + levels + "history = \"yes\"\n}", `history must be true or false`},
		"an unknown base":               {`policy "ours" { base = "strict" }`, `base = "strict": use "baseline", "extended"`},
		"a factor the base has not":     {"policy \"ours\" {\nbase = \"baseline\"\nwithout = [\"malice\"]\n}", `ours.hcl:3: the base has no factor "malice": it has vulnerabilities, suspicious_ports, tags, open_ports`},
		"without without a base":        {`policy "ours" {` + levels + "without = [\"tags\"]\n}", `without needs a base, whose factors it leaves out`},
		"no levels":                     {`policy "ours" {}`, `a policy needs the levels "critical", "high", "medium", each as level "…" { at_least = … }`},
		"a level that there is not":     {"policy \"ours\" {\nlevel \"bad\" { at_least = 3 }\n}", `level "bad": use "critical", "high", "medium"`},
		"a level without a score":       {"policy \"ours\" {\nlevel \"high\" {}\n}", `ours.hcl:2: Missing required argument: The argument "at_least" is required`},
		"a level twice":                 {`policy "ours" {` + levels + "level \"high\" { at_least = 3 }\n}", `there is a level "high" already`},
		"levels in the wrong order":     {"policy \"ours\" {\nlevel \"critical\" { at_least = 30 }\nlevel \"high\" { at_least = 35 }\nlevel \"medium\" { at_least = 15 }\n}", `the level critical begins at 30 and the lower level high at 35: a higher level must begin at a higher score`},
		"a level that is no number":     {"policy \"ours\" {\nlevel \"critical\" { at_least = \"much\" }\n}", `at_least must be a number`},
		"a level below one":             {"policy \"ours\" {\nlevel \"medium\" { at_least = 0 }\n}", `at_least must be a whole number from 1 to 100000`},
		"a factor without a match":      {factor("points = 5\ndetail = \"x\""), `a factor needs a match, such as match "tags" { values = ["tor"] }, or count with over blocks`},
		"a factor without points":       {factor(tags + `detail = "x"`), `ours.hcl:5: a factor needs points, its own or those of its values, or lift_to or cap_to`},
		"a factor without a detail":     {factor(tags + "points = 5"), `ours.hcl:5: Missing required argument: The argument "detail" is required`},
		"a place that there is not":     {factor(tags + "points = 5\ndetail = \"found {number}\""), `ours.hcl:8: detail: what is in braces must be one of {count}, {values}, {reasons}`},
		"a place that is not closed":    {factor(tags + "points = 5\ndetail = \"found {count\""), `ours.hcl:8: detail: what is in braces`},
		"points that are a half":        {factor(tags + "points = 5.5\ndetail = \"x\""), `points must be a whole number`},
		"points beyond all bounds":      {factor(tags + "points = 1e9\ndetail = \"x\""), `points must be a whole number from -1000 to 1000`},
		"points from a variable":        {factor(tags + "points = five\ndetail = \"x\""), `ours.hcl:7: points: Variables may not be used here.`},
		"points that are null":          {factor(tags + "points = null\ndetail = \"x\""), `ours.hcl:7: points: null value is not allowed`},
		"a cap that is true":            {factor(tags + "points = 5\ncap = true\ndetail = \"x\""), `ours.hcl:8: cap must be a number`},
		"an empty detail":               {factor(tags + "points = 5\ndetail = \" \""), `ours.hcl:8: detail must not be empty`},
		"a block within a factor":       {factor(tags + "level \"high\" {}\npoints = 5\ndetail = \"x\""), `ours.hcl:7: a factor has no block level: arguments are cap,`},
		"a match without a fact":        {factor("match { values = [1] }\npoints = 5\ndetail = \"x\""), `ours.hcl:6: Missing fact for match`},
		"a cap of nothing":              {factor(tags + "points = 5\ncap = 0\ndetail = \"x\""), `cap must be a whole number from 1 to 10000`},
		"an unknown argument of one":    {factor(tags + "point = 5\ndetail = \"x\""), `a factor has no argument point: arguments are cap, cap_to, count, detail,`},
		"lifting to nothing":            {factor(tags + "lift_to = \"low\"\ndetail = \"x\""), `lift_to = "low": use "critical", "high", "medium"`},
		"capping at the worst":          {factor(tags + "cap_to = \"critical\"\ndetail = \"x\""), `cap_to = "critical": use "low", "medium", "high"`},
		"lifting and points":            {factor(tags + "lift_to = \"high\"\npoints = 3\ndetail = \"x\""), `a factor has either points, or lift_to, or cap_to`},
		"unidentified tags":             {factor("match \"tags\" {\nunidentified = true\nvalues = [\"tor\"]\n}\npoints = 3\ndetail = \"x\""), `unidentified is for match "ports"`},
		"a limit that there is not":     {factor(tags + "points = 3\nonly = \"sometimes\"\ndetail = \"x\""), `only = "sometimes": use "with_details", "without_details"`},
		"a factor twice":                {`policy "ours" {` + levels + strings.Repeat("factor \"f\" {\n"+tags+"points = 5\ndetail = \"x\"\n}\n", 2) + `}`, `there is a factor "f" already`},
		"a fact that there is not":      {factor("match \"port\" { values = [1] }\npoints = 5\ndetail = \"x\""), `ours.hcl:6: match "port": use "asn", "certificates", "closed_ports",`},
		"a number to match":             {factor("match \"age_days\" { values = [1] }\npoints = 5\ndetail = \"x\""), `match "age_days": use "asn",`},
		"a match without values":        {factor("match \"country\" {}\npoints = 5\ndetail = \"x\""), `a match needs values, such as values = ["NL"]`},
		"values that are no list":       {factor("match \"ports\" { values = 22 }\npoints = 5\ndetail = \"x\""), `values must be a list, such as ["tor"], or an object`},
		"a port that is none":           {factor("match \"ports\" { values = [22, 65536] }\npoints = 5\ndetail = \"x\""), `ports cannot be "65536": use a port from 1 to 65535`},
		"a word for a port":             {factor("match \"ports\" { values = [\"ssh\"] }\npoints = 5\ndetail = \"x\""), `ports cannot be "ssh": use a port from 1 to 65535`},
		"a country's name":              {factor("match \"country\" { values = [\"Netherlands\"] }\npoints = 5\ndetail = \"x\""), `country cannot be "Netherlands": use a code of two capital letters such as NL`},
		"a type of hosting":             {factor("match \"hosting_type\" { values = [\"dark\"] }\npoints = 5\ndetail = \"x\""), `hosting_type cannot be "dark": use "bulletproof", "tor",`},
		"an ASN without AS":             {factor("match \"asn\" { values = [64496] }\npoints = 5\ndetail = \"x\""), `asn cannot be "64496": use a number such as AS64496`},
		"a value twice":                 {factor("match \"tags\" { values = [\"tor\", \"tor\"] }\npoints = 5\ndetail = \"x\""), `"tor" is there twice`},
		"a star in the middle":          {factor("match \"titles\" { values = [\"Welcome * nginx*\"] }\npoints = 5\ndetail = \"x\""), `"Welcome * nginx*": a * is allowed only at the beginning or the end of a text, where it stands for any text`},
		"a value with an odd meaning":   {factor("match \"tags\" { values = { tor = true } }\npoints = 5\ndetail = \"x\""), `a value has points, a whole number from -1000 to 1000, or a reason in quotes`},
		"a value that has what not":     {factor("match \"tags\" { values = { tor = { score = 3 } } }\npoints = 5\ndetail = \"x\""), `a value has points and a reason, and no score`},
		"a fact twice":                  {factor(tags + tags + "points = 5\ndetail = \"x\""), `the factor matches tags already: put the values together, or write another factor`},
		"EPSS of tags":                  {factor("match \"tags\" {\nvalues = [\"tor\"]\nepss_over = 0.5\n}\npoints = 5\ndetail = \"x\""), `known_exploited, verified, epss_over and cvss_over are for match "vulnerabilities"`},
		"EPSS in per cent":              {factor("match \"vulnerabilities\" { epss_over = 50 }\npoints = 5\ndetail = \"x\""), `epss_over must be a number from 0 to 1`},
		"counting nothing":              {factor("count = \"port\"\nover \"1\" { points = 1 }\ndetail = \"x\""), `count = "port": use "age_days", "asn",`},
		"counting without steps":        {factor("count = \"ports\"\ndetail = \"x\""), `a factor with count needs over blocks, such as over "10" { points = 5 }`},
		"counting with points":          {factor("count = \"ports\"\nover \"1\" { points = 1 }\npoints = 3\ndetail = \"x\""), `a factor with count has its points in its over blocks, and no points`},
		"counting and matching":         {factor(tags + "count = \"ports\"\nover \"1\" { points = 1 }\ndetail = \"x\""), `a factor has either count or match blocks: write two factors`},
		"steps without counting":        {factor("over \"1\" { points = 1 }\ndetail = \"x\""), `over blocks need count, such as count = "ports"`},
		"a step that is no number":      {factor("count = \"ports\"\nover \"many\" { points = 1 }\ndetail = \"x\""), `over "many": use a whole number, such as over "10" { points = 5 }`},
		"a step without points":         {factor("count = \"ports\"\nover \"1\" {}\ndetail = \"x\""), `Missing required argument: The argument "points" is required`},
		"a step twice":                  {factor("count = \"ports\"\nover \"1\" { points = 1 }\nover \"1\" { points = 2 }\ndetail = \"x\""), `there is an over "1" already`},
		"steps that fall":               {factor("count = \"ports\"\nover \"1\" { points = 10 }\nover \"5\" { points = 2 }\ndetail = \"x\""), `over 5 gives 2 points and over 1 gives 10: a higher number must not give fewer points`},
		"the values of a count":         {factor("count = \"ports\"\nover \"1\" { points = 10 }\ndetail = \"{values}\""), `detail: what is in braces must be one of {count}, {over}`},
		"an unknown type of hosting":    {`policy "ours" {` + levels + "hosting \"dark\" {}\n}", `hosting "dark": use "bulletproof", "tor", "proxy", "vpn", "cdn", "cloud", "business", "residential", "unknown"`},
		"a provider without its number": {`policy "ours" {` + levels + "hosting \"vpn\" { asns = [\"Example\"] }\n}", `"Example" is not an autonomous system: use its number and, after a space, its name, such as "AS64496 Example Hosting"`},
		"a list that there is not":      {`policy "ours" {` + levels + "hosting \"vpn\" { asn_lists = [\"vpns\"] }\n}", `there is no list "vpns": use "bulletproof", "cdn", "cloud", "residential", "tor", "vpn"`},
		"a word with digits":            {`policy "ours" {` + levels + "hosting \"vpn\" { words = [\"vpn4\"] }\n}", `"vpn4": a word of a name has only lower-case letters`},
		"a domain with a star":          {`policy "ours" {` + levels + "hosting \"vpn\" { domains = [\"*.vpn.example\"] }\n}", `"*.vpn.example" is not a domain: write it in lower case, as "vpn.example"; the names below it count too`},
		"words that are no list":        {`policy "ours" {` + levels + "hosting \"vpn\" { words = \"vpn\" }\n}", `words must be a list, such as ["one", "another"]`},
		"a confidence above one":        {`policy "ours" {` + levels + "confidence { honeypot = 1.5 }\n}", `honeypot must be a number from 0 to 1`},
		"a source that there is not":    {`policy "ours" {` + levels + "confidence { sources = { censys = 1 } }\n}", `there is no source "censys": use dataset, shodan, internetdb`},
		"sources that are a number":     {`policy "ours" {` + levels + "confidence { sources = 1 }\n}", `sources must be an object, such as { shodan = 0.9, internetdb = 0.7 }`},
		"data that gets surer":          {`policy "ours" {` + levels + "confidence {\nolder_than \"30\" { times = 0.5 }\nolder_than \"90\" { times = 0.6 }\n}\n}", `older data must not raise the confidence`},
		"an age that is no number":      {`policy "ours" {` + levels + "confidence {\nolder_than \"a year\" { times = 0.5 }\n}\n}", `older_than "a year": use a whole number of days, such as`},
		"two confidences":               {`policy "ours" {` + levels + "confidence {}\nconfidence {}\n}", `there is a confidence already`},
		"brackets beyond all bounds":    {"x = " + strings.Repeat("[", 50_000), `ours.hcl:1: brackets or operators are nested more than 32 deep`},
		"operators beyond all bounds":   {"x = " + strings.Repeat("!", 50_000), `ours.hcl:1: brackets or operators are nested more than 32 deep`},
		"choices beyond all bounds":     {"x = " + strings.Repeat("a ? ", 20_000), `ours.hcl:1: brackets or operators are nested more than 32 deep`},
		"templates beyond all bounds":   {"x = " + strings.Repeat("\"${", 20_000), `ours.hcl:1: brackets or operators are nested more than 32 deep`},
		"a port beyond all bounds":      {factor("match \"ports\" { values = [1e100000000] }\npoints = 5\ndetail = \"x\""), `ours.hcl:6: a number has an exponent from -99 to 99`},
		"a detail beyond all bounds":    {factor(tags + "points = 5\ndetail = \"${1E-99999999999999999999}\""), `ours.hcl:8: a number has an exponent from -99 to 99`},
		"products beyond all bounds":    {"x = 1e99" + strings.Repeat(" * 1e99", 10_000), `ours.hcl:1: brackets or operators are nested more than 32 deep`},
		"a file beyond all bounds":      {strings.Repeat("# nothing\n", 20_000), `ours.hcl:1: the file has 200000 bytes: a policy has at most 131072`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := problemsOf(t, tt.text)
			if !strings.Contains(strings.Join(got, "\n"), tt.want) {
				t.Errorf("the problems are\n%s\nwant one\n%s", strings.Join(got, "\n"), tt.want)
			}
		})
	}
}

func TestAllThatIsWrongIsSaidInOrder(t *testing.T) {
	t.Parallel()
	text := "policy \"ours\" {" + levels + "factor \"a\" {\n  match \"tags\" { values = [\"tor\"] }\n  points = \"many\"\n  detail = \"{x}\"\n}\nhistry = 1\n}"
	want := []string{
		"ours.hcl:7: points must be a number",
		"ours.hcl:8: detail: what is in braces must be one of {count}, {values}, {reasons}",
		"ours.hcl:10: a policy has no argument histry: arguments are base, description, history, without; blocks are confidence, factor, hosting, level",
	}
	if diff := cmp.Diff(want, problemsOf(t, text)); diff != "" {
		t.Error(diff)
	}
	_, err := policyfile.Parse([]byte(text), "ours.hcl")
	if want := "ours.hcl:7: points must be a number (and 2 more)"; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

func TestAPolicyOfOnesOwn(t *testing.T) {
	t.Parallel()
	policy := mustParse(t, levels+`
  description = "What we look at."
  history     = true
  factor "mail" {
    match "ports" {
      values = { 25 = { points = 7, reason = "mail" }, "587" = "submission", 465 = 2 }
    }
    match "titles" { values = ["*Webmail*", "Outlook*", "*Zimbra"] }
    points     = 4
    each       = 1
    cap        = 12
    detail     = "{count}: {values}"
    detail_one = "one: {values}"
  }
  factor "good" {
    match "tags" { values = ["cdn"] }
    points = -5
    detail = "{reasons}"
  }`)
	if policy.Name != "ours" || policy.Description != "What we look at." || !policy.History || !policy.NeedsBanners() || policy.Confidence != nil {
		t.Errorf("%+v", policy)
	}
	for _, tt := range []struct {
		host reputation.Host
		want string
	}{
		{reputation.Host{Ports: []int{25}}, `7 [{"factor":"mail","points":7,"detail":"one: 25 (mail)","evidence":{"ports":[25]}}]`},
		{reputation.Host{Ports: []int{587, 465}}, `6 [{"factor":"mail","points":6,"detail":"2: 465, 587 (submission)","evidence":{"ports":[465,587]}}]`},
		{reputation.Host{Ports: []int{25, 465, 587}}, `12 [{"factor":"mail","points":12,"detail":"3: 25 (mail), 465, 587 (submission)","evidence":{"ports":[25,465,587]}}]`},
		{reputation.Host{Titles: []string{"Our Webmail", "Outlook Web App", "My Zimbra", "Zimbra!", "webmail"}}, `6 [{"factor":"mail","points":6,"detail":"3: My Zimbra, Our Webmail, Outlook Web App","evidence":{"titles":["My Zimbra","Our Webmail","Outlook Web App"]}}]`},
		{reputation.Host{Ports: []int{465}, Titles: []string{"Webmail"}, Tags: []string{"cdn"}}, `0 [{"factor":"mail","points":4,"detail":"one: 465, Webmail","evidence":{"ports":[465],"titles":["Webmail"]}},{"factor":"good","points":-4,"detail":"","evidence":["cdn"]}]`},
	} {
		got := policy.Score(tt.host)
		if text := fmt.Sprintf("%d %s", got.Score, jsonOf(got.Factors)); text != tt.want || got.Confidence != nil {
			t.Errorf("%+v:\n%s\nwant\n%s", tt.host, text, tt.want)
		}
	}
}

func TestAPolicyCanBeginWithAnother(t *testing.T) {
	t.Parallel()
	policy := mustParse(t, `
  base    = "extended"
  without = ["certificates", "open_ports"]
  history = true
  level "critical" { at_least = 80 }
  factor "geography" {
    match "country" { values = ["ZZ"] }
    points = 12
    detail = "registered in {values}"
  }
  factor "ours" {
    match "hostnames" { values = ["*.example.org"] }
    points = 1
    detail = "{values}"
  }
  hosting "vpn" { asns = ["AS64500 Example VPN"] }`)
	var want []string
	for _, name := range policyfile.Extended().FactorNames() {
		if name != "certificates" && name != "open_ports" {
			want = append(want, name)
		}
	}
	if diff := cmp.Diff(append(want, "ours"), policy.FactorNames()); diff != "" {
		t.Errorf("the factors: %s", diff)
	}
	got := policy.Score(reputation.Host{Country: "ZZ", ASN: "AS64500", Tags: []string{"cloud", "self-signed", "c2"}, Hostnames: []string{"www.example.org"}})
	if got.Score != 50+12+10+1 || got.Level != reputation.High || got.Hosting != (reputation.Hosting{Type: "vpn", Reason: "AS64500 Example VPN"}) || got.Confidence == nil || !policy.History {
		t.Errorf("%+v", got)
	}
	if h := policyfile.Extended().Score(reputation.Host{ASN: "AS64500", Country: "ZZ"}); h.Score != 0 || policyfile.Extended().History {
		t.Errorf("the base has changed: %+v", h)
	}
}

func TestTheFilesOfThePoliciesCanBeBegunWith(t *testing.T) {
	t.Parallel()
	for _, name := range policyfile.Names() {
		text := strings.Replace(policyfile.Text(name), `policy "`+name+`"`, `policy "copy"`, 1)
		policy, err := policyfile.Parse([]byte(text), "copy.hcl")
		if err != nil {
			t.Fatal(err)
		}
		h := reputation.Host{Ports: []int{4444, 6379, 22}, Tags: []string{"tor", "c2"}, Vulnerabilities: numbered(7)}
		if diff := cmp.Diff(policyfile.BuiltIn(name).Score(h), policy.Score(h)); diff != "" {
			t.Errorf("a copy of %s judges otherwise: %s", name, diff)
		}
	}
	if policyfile.Text("hosting") != "" || policyfile.BuiltIn("hosting") != nil || policyfile.BuiltIn("") != nil {
		t.Error("the rules for hosting are taken for a policy")
	}
}

// FuzzParse looks for files that end the program, and for policies that break what holds for every result.
func FuzzParse(f *testing.F) {
	// Short seeds: of long ones the fuzzer tries a handful a minute.
	f.Add("policy \"ours\" {\nbase = \"baseline\"\nfactor \"f\" {\ncount = \"ports\"\nover \"2\" { points = 9 }\ndetail = \"{count} {over}\"\n}\n}")
	f.Add("policy \"ours\" {\nbase = \"baseline\"\nconfidence {\nsources = { shodan = 0.5 }\nolder_than \"9\" { times = 0.1 }\n}\n}")
	f.Add("policy \"ours\" {\nbase = \"baseline\"\nfactor \"f\" {\nmatch \"vulnerabilities\" { epss_over = 0.5 }\ncap_to = \"low\"\ndetail = \"{values}\"\n}\n}")
	f.Add(`policy "ours" {` + levels + `factor "f" { match "tags" { values = { tor = -9 } } ` + "\npoints = -5\ndetail = \"{values}\"\n}\n}")
	f.Add("policy \"ours\" {\nbase = \"extended\"\nwithout = [\"malice\"]\nhosting \"cloud\" { words = [\"a-b\"] }\n}")
	f.Add("x = [[[{a = -!(b ? \"${c}\" : 3)}]]]")
	hosts := []reputation.Host{
		{},
		{Ports: []int{22, 4444, 6379, 502}, Tags: []string{"tor", "c2", "honeypot"}, Vulnerabilities: numbered(12), Hostnames: []string{"a-b.example.net"}, ASN: "AS64496"},
		{Detailed: true, Vulnerabilities: numbered(3), Details: map[string]reputation.Vulnerability{
			"CVE-2024-0001": {Exploited: true, EPSS: 0.3, CVSS: 9.8}, "CVE-2024-0002": {EPSS: 0.9}, "CVE-2024-0003": {Verified: true, EPSS: 0.1},
		}},
	}
	f.Fuzz(func(t *testing.T, text string) {
		policy, err := policyfile.Parse([]byte(text), "fuzz.hcl")
		if err != nil {
			var problems policyfile.Problems
			if !errors.As(err, &problems) || !strings.HasPrefix(err.Error(), "fuzz.hcl:") {
				t.Fatalf("an error without a line: %v", err)
			}
			return
		}
		for _, h := range hosts {
			sum := 0
			got := policy.Score(h)
			for _, factor := range got.Factors {
				sum += factor.Points
			}
			if sum != got.Score || got.Score < 0 || got.Level == "" {
				t.Fatalf("the factors add up to %d, the score is %d: %s", sum, got.Score, text)
			}
		}
	})
}
