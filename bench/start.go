package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"ssod/bench/target"
)

// startCommand measures how long a node takes from the start of its process to
// ready on a directory that already holds data.
type startCommand struct {
	Ssod   string        `default:"bin/ssod" placeholder:"FILE" help:"The service to start."`
	Dir    string        `arg:"" type:"existingdir" help:"Directory that holds a data directory of the service under the name data."`
	Times  int           `default:"3" help:"How often."`
	Mark   time.Duration `default:"2s" help:"The longest time that passes."`
	Strict bool          `help:"Exit 1 when the mark is missed."`
}

func (c *startCommand) Run(ctx context.Context) error {
	if err := checkData(c.Dir); err != nil {
		return err
	}
	missed := false
	for range c.Times {
		took, rss, err := c.once(ctx)
		if err != nil {
			return err
		}
		verdict := "PASS"
		if took > c.Mark {
			verdict, missed = "FAIL", true
		}
		fmt.Fprintf(os.Stdout, "start to ready: %v, RSS %d MiB, mark %v: %s\n", took.Round(time.Millisecond), rss>>20, c.Mark, verdict)
	}
	if missed && c.Strict {
		return errMissed
	}
	return nil
}

func (c *startCommand) once(ctx context.Context) (took time.Duration, rss int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	began := time.Now()
	service, err := target.Start(ctx, c.Ssod, c.Dir, target.Realms(1))
	if err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	rss, err = service.Process.RSS()
	if stopped := service.Process.Kill(); err == nil {
		err = stopped
	}
	return took, rss, err
}
