//go:build !linux

package node

import "errors"

func mountMemory(string) error { return errors.ErrUnsupported }

func unmount(string) error { return nil }
