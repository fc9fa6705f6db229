package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// process is a node as the parent sees it.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	orders  *json.Encoder
	reports *json.Decoder
}

// asNode in the environment makes the program a node.
const asNode = "LOADTEST_NODE"

// startProcess runs this program as a node and waits until it listens.
func startProcess(s setup) (*process, report, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, report{}, err
	}
	p := &process{cmd: exec.Command(program)}
	p.cmd.Env = append(os.Environ(), asNode+"=1")
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, report{}, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, report{}, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, report{}, err
	}
	p.orders, p.reports = json.NewEncoder(p.in), json.NewDecoder(out)
	r, err := p.ask(s)
	if err != nil {
		return nil, r, errors.Join(err, p.stop())
	}
	return p, r, nil
}

// ask gives an order, or the setup, and waits for the report.
func (p *process) ask(what any) (r report, err error) {
	if err := p.orders.Encode(what); err != nil {
		return r, err
	}
	if err := p.reports.Decode(&r); err != nil {
		return r, fmt.Errorf("node: %w", err)
	}
	if r.Error != "" {
		return r, errors.New(r.Error)
	}
	return r, nil
}

// stop lets the node end and waits for it.
func (p *process) stop() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }
