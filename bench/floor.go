package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/valyala/fasthttp"

	"ssod/bench/floor"
	"ssod/bench/process"
)

// floorCommand serves the floor until it is told to stop.
type floorCommand struct {
	HTTP string `default:"127.0.0.1:0" placeholder:"ADDR" help:"Where to listen; the address is printed."`
}

func (c *floorCommand) Run(ctx context.Context) error {
	listener, err := net.Listen("tcp", c.HTTP)
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	server := &fasthttp.Server{Handler: floor.Handle, NoDefaultServerHeader: true}
	stopped := context.AfterFunc(ctx, func() { _ = server.Shutdown() }) // Serve returns then
	defer stopped()
	return server.Serve(listener)
}

// startFloor runs this program as the floor and returns its address.
func startFloor() (*process.Process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	out, in := io.Pipe()
	p, err := process.Start(in, self, "floor")
	if err != nil {
		return nil, "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("start the floor: %w", err), p.Kill())
	}
	return p, strings.TrimSpace(line), nil
}
