package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// reason says why a delivery failed. It quotes neither the URL, which may have a secret of
// the receiver in it, nor anything that the receiver has sent.
func reason(err error) string {
	for _, of := range []func(error) string{ofTime, ofNetwork, ofTLS, ofHTTP} {
		if why := of(err); why != "" {
			return why
		}
	}
	return "the answer is not HTTP, or the connection broke"
}

func ofTime(err error) string {
	var dial *net.OpError
	var late net.Error
	switch {
	case errors.As(err, &dial) && dial.Op == "dial" && dial.Timeout():
		return fmt.Sprintf("no connection within %v", dialTimeout)
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &late) && late.Timeout():
		return fmt.Sprintf("no answer within %v", timeout)
	}
	return ""
}

func ofNetwork(err error) string {
	var name *net.DNSError
	var private privateError
	var errno syscall.Errno
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return "its name is not found"
	case errors.As(err, &name):
		return "its name cannot be looked up"
	case errors.As(err, &private):
		return private.Error()
	case errors.As(err, &errno):
		return errno.Error()
	}
	return ""
}

func ofTLS(err error) string {
	var unknown x509.UnknownAuthorityError
	var another x509.HostnameError
	var invalid x509.CertificateInvalidError
	var unverified *tls.CertificateVerificationError
	var alert tls.AlertError
	switch {
	case errors.As(err, &unknown):
		return "its certificate is of an unknown authority"
	case errors.As(err, &another):
		return "its certificate is of another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired, or is not valid yet"
	case errors.As(err, &unverified):
		return "its certificate cannot be verified"
	case errors.As(err, &alert):
		return "it refuses: " + alert.Error()
	}
	return ""
}

// headersTooLong are what package net/http says of an answer with long headers, for which it
// has no error value: HTTP/1.1, HTTP/2.
var headersTooLong = []string{"server response headers exceeded", "response header list larger than"}

func ofHTTP(err error) string {
	for _, said := range headersTooLong {
		if strings.Contains(err.Error(), said) {
			return fmt.Sprintf("the headers of the answer have more than %d bytes", answerBytes)
		}
	}
	switch {
	case errors.Is(err, http.ErrSchemeMismatch):
		return "it speaks http, and its url has https"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection ended before the answer did"
	}
	return ""
}
