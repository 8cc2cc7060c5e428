package release_test

import (
	"debug/buildinfo"
	"slices"
	"strings"
	"testing"

	"github.com/gertd/go-pluralize"
)

// TestNoSDKOfACloudIsInTheProgram checks that the modules in third_party are used. Without them the plugin SDK brings
// those of AWS and Google Cloud into the program.
func TestNoSDKOfACloudIsInTheProgram(t *testing.T) {
	t.Parallel()
	info, err := buildinfo.ReadFile(program(t))
	if err != nil {
		t.Fatal(err)
	}
	var replaced []string
	for _, module := range info.Deps {
		if module.Replace != nil {
			replaced = append(replaced, module.Path+" "+module.Replace.Path)
		}
		for _, unwanted := range []string{"github.com/aws/", "cloud.google.com/", "google.golang.org/api"} {
			if strings.HasPrefix(module.Path, unwanted) {
				t.Errorf("%s is in the program", module.Path)
			}
		}
	}
	if want := []string{"github.com/gertd/go-pluralize ./third_party/go-pluralize", "github.com/hashicorp/go-getter ./third_party/go-getter"}; !slices.Equal(replaced, want) {
		t.Errorf("replaced are %q, want %q", replaced, want)
	}
}

// TestTheImageHasTheModulesBeforeItDownloadsOthers checks the order of the Dockerfile: go mod download reads them.
func TestTheImageHasTheModulesBeforeItDownloadsOthers(t *testing.T) {
	t.Parallel()
	instructions, err := readDockerfile()
	if err != nil {
		t.Fatal(err)
	}
	at := func(name, text string) int {
		return slices.IndexFunc(instructions, func(in instruction) bool { return in.name == name && strings.Contains(in.text, text) })
	}
	if copied, downloaded := at("COPY", "third_party"), at("RUN", "go mod download"); copied < 0 || copied > downloaded {
		t.Errorf("third_party is copied by instruction %d, and modules are downloaded by %d", copied, downloaded)
	}
}

// TestWordsOfTheSDKHaveTheirPlurals has words that the SDK's log counts.
func TestWordsOfTheSDKHaveTheirPlurals(t *testing.T) {
	t.Parallel()
	client := pluralize.NewClient()
	for word, want := range map[string]string{"connection": "connections", "retry": "retries", "dependency": "dependencies", "warning": "warnings", "qual": "quals"} {
		if got := client.Pluralize(word, 0, false); got != want {
			t.Errorf("0 %s, want %s", got, want)
		}
		if got := client.Pluralize(word, 1, true); got != "1 "+word {
			t.Errorf("got %q for one %s", got, word)
		}
		if got := client.Pluralize(word, 2, true); got != "2 "+want {
			t.Errorf("got %q for two %s", got, want)
		}
	}
}
