package rowformat

import (
	"fmt"
	"regexp"
)

// formulaStart finds where a spreadsheet may take a text for a formula: at =, +, - and @, also in their full width, at
// the beginning of a cell and after white space, control characters and quotes, which some spreadsheets remove. A cell can
// begin within a text as well: by the settings of the user spreadsheets divide lines at semicolons, bars or tabs, also
// within quotes.
var formulaStart = regexp.MustCompile(`((?:^|[;|\t\r\n])[\s\p{Z}\p{C}"]*)([=+\-@＝＋－＠])`)

// escapeFormulas puts an apostrophe before each formula in a text, which makes spreadsheets take it for a text. This is
// the rule of OWASP: https://owasp.org/www-community/attacks/CSV_Injection.
func escapeFormulas[T string | []byte](text T) string {
	return formulaStart.ReplaceAllString(string(text), "${1}'${2}")
}

// CheckEscapeFormulas returns an error if Options.EscapeFormulas is set for a format without spreadsheet cells.
func CheckEscapeFormulas(escape bool, format string) error {
	if escape && format != "csv" && format != "tsv" {
		return fmt.Errorf("--escape-formulas is for spreadsheets, which read csv and tsv, and not %s", format)
	}
	return nil
}
