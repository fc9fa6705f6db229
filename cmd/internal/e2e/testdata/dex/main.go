// Command dex is dex, an OpenID provider, on a free port of loopback. It prints its issuer,
// and lets in viewer-1@cable.example with the password that is in PASSWORD; its one client
// has SECRET and CALLBACK.
//
// It is a module of its own, so that what dex is made of is no part of ssod's.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"github.com/dexidp/dex/web"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	logger := logrus.New()
	hash, err := bcrypt.GenerateFromPassword([]byte(os.Getenv("PASSWORD")), bcrypt.DefaultCost)
	if err != nil {
		return err
	}
	s := storage.WithStaticClients(memory.New(logger), []storage.Client{{
		ID: "ssod", Secret: os.Getenv("SECRET"), RedirectURIs: []string{os.Getenv("CALLBACK")}, Name: "Stream One",
	}})
	s = storage.WithStaticPasswords(s, []storage.Password{{
		Email: "viewer-1@cable.example", Username: "Viewer One", UserID: "4711", Hash: hash,
	}}, logger)
	s = storage.WithStaticConnectors(s, []storage.Connector{{ID: server.LocalConnector, Type: server.LocalConnector, Name: "Email"}})
	refresh, err := server.NewRefreshTokenPolicy(logger, false, "", "", "0s")
	if err != nil {
		return err
	}
	issuer := "http://" + listener.Addr().String() + "/dex"
	d, err := server.NewServer(context.Background(), server.Config{
		Issuer: issuer, Storage: s, SkipApprovalScreen: true, RefreshTokenPolicy: refresh,
		Web: server.WebConfig{WebFS: web.FS()}, Logger: logger, PrometheusRegistry: prometheus.NewRegistry(),
	})
	if err != nil {
		return err
	}
	fmt.Println(issuer)
	return http.Serve(listener, d)
}
