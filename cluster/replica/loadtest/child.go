package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// child is a node as the parent sees it.
type child struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	orders  *json.Encoder
	reports *json.Decoder
}

// asNode in the environment makes the program a node.
const asNode = "LOADTEST_NODE"

// startChild runs a loadtest as a node, this one or one of another build, and
// waits until it listens.
func startChild(program string, s setup) (*child, report, error) {
	c := &child{cmd: exec.Command(program)}
	c.cmd.Env = append(os.Environ(), asNode+"=1")
	c.cmd.Stderr = os.Stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, report{}, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, report{}, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, report{}, err
	}
	c.orders, c.reports = json.NewEncoder(c.in), json.NewDecoder(out)
	r, err := c.ask(s)
	if err != nil {
		return nil, r, errors.Join(err, c.stop())
	}
	return c, r, nil
}

// id is the process id.
func (c *child) id() int { return c.cmd.Process.Pid }

// ask gives an order, or the setup, and waits for the report.
func (c *child) ask(what any) (r report, err error) {
	if err := c.orders.Encode(what); err != nil {
		return r, err
	}
	if err := c.reports.Decode(&r); err != nil {
		return r, fmt.Errorf("node: %w", err)
	}
	if r.Error != "" {
		return r, errors.New(r.Error)
	}
	return r, nil
}

// stop lets the node end and waits for it.
func (c *child) stop() error { return errors.Join(c.in.Close(), c.cmd.Wait()) }
