package postgrestest_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Run(m)) }

// jsonbTexts are texts at the limits of jsonb.
func jsonbTexts() []string {
	zeros := func(n int) string { return strings.Repeat("0", n) }
	nines := func(n int) string { return strings.Repeat("9", n) }
	texts := []string{
		`{}`, `[]`, `null`, ` "x" `, ``, `[`, `{"a": 1} 2`, `[1,]`, `01`, `+1`, `.5`, `1.`, `NaN`, "\"\x01\"",
		`"\u0000"`, `"\\u0000"`, `{"\u0000": 1}`, `"\ud800"`, `"\udc00"`, `"\ud83d\ude00"`, `"\ud83d\u0041"`, `"\ud83d\\ude00"`, "\"\xff\"", "\"\xed\xa0\x80\"",
		strings.Repeat("[", shodan.MaxDepth) + strings.Repeat("]", shodan.MaxDepth), strings.Repeat(`{"a":`, 900) + "1" + strings.Repeat("}", 900),
	}
	for _, number := range []string{
		"0", "-0", "1e308", "1e400", "5e-324", "1e131071", "9.9e131071", "1e131072", "10e131071", "-1E+131072", "0.1e131072", "0.01e131073", "0.01e131074",
		"1e-16383", "1e-16384", "1.5e-16382", "1.5e-16383", "1e-20000", "0e-16383", "0e-20000", "0e131072", "0e999999", "0.0e999999",
		"0e99999999999999999999", "1e99999999999999999999", "1e-99999999999999999999", "1e0000000000000005", "0e1073741822", "0e1073741823",
		nines(131072), nines(131073), "0." + zeros(16382) + "1", "0." + zeros(16383) + "1", "1." + zeros(16383), "1." + zeros(16384),
		nines(131073) + "e-1", nines(131072) + "." + nines(16383), "0." + zeros(20_000) + "1e5000", nines(200_000) + "e-16383", nines(200_000) + "e-16384", nines(140_000) + "e-10000",
	} {
		texts = append(texts, number, `{"a": [`+number+`]}`)
	}
	return texts
}

func TestTheModelOfJSONBIsThatOfPostgreSQL(t *testing.T) {
	db := postgrestest.New(t)
	for _, text := range jsonbTexts() {
		refused := postgrestest.CheckJSONB([]byte(text))
		var got bool
		err := db.Conn().QueryRow(t.Context(), "select ($1::text)::jsonb is not null", text).Scan(&got)
		if (err == nil) != (refused == nil) {
			t.Errorf("%.60q of %d: PostgreSQL says %v, the model %v", text, len(text), err, refused)
		}
		// What Clean makes of valid JSON PostgreSQL takes.
		if cleaned := shodan.Clean([]byte(text)); fmt.Sprint(refused) != "<nil>" && strings.Contains(fmt.Sprint(refused), "overflows") {
			if err := db.Conn().QueryRow(t.Context(), "select ($1::text)::jsonb is not null", string(cleaned)).Scan(&got); err != nil {
				t.Errorf("%.60q becomes %.60q, and PostgreSQL says %v", text, cleaned, err)
			}
		}
	}
}
