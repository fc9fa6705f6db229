package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ssod/bench/loadgen"
)

// mediaKeyBits is the size of the service's keys of media tokens.
const mediaKeyBits = 2048

// signatures makes RS256 signatures for d on every CPU and does nothing else:
// the most that any service that signs can reach on this machine.
func signatures(d time.Duration) (sample, error) {
	key, err := rsa.GenerateKey(rand.Reader, mediaKeyBits)
	if err != nil {
		return sample{}, fmt.Errorf("make a key: %w", err)
	}
	m := meter{}
	m.begin()
	began := time.Now()
	each := least/runtime.GOMAXPROCS(0) + 1
	all := hdrhistogram.New(1000, int64(time.Minute), 3)
	var signing sync.WaitGroup
	var mu sync.Mutex
	for range runtime.GOMAXPROCS(0) {
		signing.Go(func() {
			mine, failed := sign(key, began.Add(d), each)
			mu.Lock()
			defer mu.Unlock()
			all.Merge(mine)
			m.errs = append(m.errs, failed)
		})
	}
	signing.Wait()
	elapsed := time.Since(began)
	m.end()
	for _, failed := range m.errs {
		if failed != nil {
			return sample{}, failed
		}
	}
	result := loadgen.Result{Requests: int(all.TotalCount()), Elapsed: elapsed, Latency: all}
	return sample{Result: result, foreign: true, clientCPU: m.cpu, others: m.others}, nil
}

// sign makes one signature after another until a time, and so many at least.
func sign(key *rsa.PrivateKey, end time.Time, atLeast int) (*hdrhistogram.Histogram, error) {
	latency := hdrhistogram.New(1000, int64(time.Minute), 3)
	for before := time.Now(); before.Before(end) || latency.TotalCount() < int64(atLeast); {
		digest := sha256.Sum256([]byte(before.String()))
		if _, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:]); err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		now := time.Now()
		_ = latency.RecordValue(int64(min(now.Sub(before), time.Minute))) // in range by the min
		before = now
	}
	return latency, nil
}
