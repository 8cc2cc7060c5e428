package embedded_test

import (
	"context"
	"fmt"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// The plugin of this example is one for tests. PluginFunc takes that of any Steampipe plugin.
func ExampleOpen() {
	ctx := context.Background()
	db, err := embedded.Open(ctx, embedded.Options{
		PluginFunc:  (&embeddedtest.Plugin{}).Func,
		Connections: []embedded.Connection{{Name: "home", Config: `word = "hello"`}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	err = db.Query(ctx, "select ip, word from fake_address where ip in ('192.0.2.1', '192.0.2.2') order by ip", func(rows *embedded.Rows) error {
		for rows.Next() {
			fmt.Println(rows.Values()...)
		}
		return rows.Err()
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 192.0.2.1 hello
	// 192.0.2.2 hello
}
