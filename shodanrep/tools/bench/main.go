//go:build unix

// Command bench measures the performance that docs/performance.md promises, with the real binary against simulated
// services, and prints one table:
//
//	go run ./shodanrep/tools/bench -binary bin/shodanrep
//
// It runs in real time, so it takes some minutes. It exits with status 1 if a figure is not reached.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A measurement measures the figures with the given numbers.
type measurement struct {
	figures []int
	measure func(*bench) ([]figure, error)
}

// stages run one after the other, and the measurements of a stage in parallel. Measurements that need the whole machine
// have a stage of their own; measurements that mostly wait share one.
var stages = [][]measurement{
	{{[]int{1, 2}, measureLookups}},
	{{[]int{3}, measureSDK}},
	{{[]int{4}, measureBulk}},
	{{[]int{5}, measureStrictService}, {[]int{6}, measureMachines}, {[]int{9}, measureProcesses}},
	{{[]int{7}, measureMemory}},
	{{[]int{8}, measureBatches}},
	{{[]int{10}, measureCheck}},
	{{[]int{11}, measureWarm}},
	{{[]int{12}, measureFile}},
	{{[]int{13, 14, 15}, measureDataset}},
	{{[]int{16}, measureDatasetMemory}},
	{{[]int{17}, measureCheckFile}},
}

// undisturbed is how many processors other programs may use before the notes say so.
const undisturbed = 0.1

func main() {
	if len(os.Args) > 2 && os.Args[1] == workerCommand {
		if err := work(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	reached, err := run(os.Args[1:], os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if !reached {
		os.Exit(1)
	}
}

// run measures and prints. It reports whether all figures are reached.
func run(args []string, stdout, stderr io.Writer) (reached bool, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	binary := flags.String("binary", filepath.Join("bin", "shodanrep"), "the `file` to measure, as make build builds it")
	only := flags.String("only", "", "the `numbers` of the figures to measure, such as 1,2; all where empty")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	chosen, err := numbers(*only)
	if err != nil {
		return false, err
	}
	path, err := exec.LookPath(*binary)
	if err != nil {
		return false, fmt.Errorf("-binary %s: %w; make build makes bin/shodanrep", *binary, err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "shodanrep-figures-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)

	b := &bench{binary: path, dir: dir}
	var figures []figure
	for _, stage := range stages {
		results := make([][]figure, len(stage))
		others := disturbance()
		var running sync.WaitGroup
		for i, m := range stage {
			if !slices.ContainsFunc(m.figures, func(n int) bool { return chosen == nil || slices.Contains(chosen, n) }) {
				continue
			}
			fmt.Fprintf(stderr, "measuring figure %s\n", strings.Trim(fmt.Sprint(m.figures), "[]"))
			running.Go(func() { results[i] = measure(b, m) })
		}
		running.Wait()
		measured := slices.Concat(results...)
		if used := others(); used > undisturbed {
			for i := range measured {
				measured[i].notes = append(measured[i].notes, fmt.Sprintf("meanwhile other programs used %.1f of the %d processors", used, runtime.NumCPU()))
			}
		}
		figures = append(figures, measured...)
	}
	return printTable(stdout, figures)
}

// measure runs a measurement. A failure is a figure that is not reached, so that the other figures are printed.
func measure(b *bench, m measurement) []figure {
	figures, err := m.measure(b)
	if err != nil {
		for _, n := range m.figures[min(len(figures), len(m.figures)):] {
			figures = append(figures, figure{what: fmt.Sprintf("figure %d", n), measured: "could not be measured", notes: []string{err.Error()}})
		}
	}
	for i := range figures {
		figures[i].number = m.figures[i]
	}
	return figures
}

// numbers reads a list such as 1,2.
func numbers(list string) ([]int, error) {
	if list == "" {
		return nil, nil
	}
	var chosen []int
	for _, text := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("-only %s: use numbers of figures, such as 1,2", list)
		}
		chosen = append(chosen, n)
	}
	return chosen, nil
}

// workerCommand is the first argument of this program if it is a measured process: the simulators of the main process
// then do not count.
const workerCommand = "worker"

var workers = map[string]func(args []string) (any, error){
	"ask":     requestOnly,
	"sdk":     scanRepeatedly,
	"batches": runBatches,
}

// work is the main function of a worker.
func work(name string, args []string) error {
	worker := workers[name]
	if worker == nil {
		return fmt.Errorf("there is no worker %q", name)
	}
	result, err := worker(args)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// worker runs this program as a worker and returns its result.
func worker(b *bench, result any, name string, args ...string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(program, append([]string{workerCommand, name}, args...)...)
	cmd.Env = b.environment()
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("worker %s: %w", name, err)
	}
	return json.Unmarshal(out, result)
}
