package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ssod/actors"
	"ssod/cluster"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/config"
	"ssod/httpfront/degradation"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/webhook"
)

// ErrConfiguration says that a reload found a configuration that cannot be
// used; the error's text says why. Nothing was changed.
var ErrConfiguration = errors.New("the configuration cannot be used")

// ErrReload says that a reload does not end; its text says why, and whether anything may
// have changed.
var ErrReload = errors.New("the configuration is not reloaded yet")

// What [Members.Remove] fails with.
var (
	// ErrNoNode: no member has that name.
	ErrNoNode = errors.New("no such node")
	// ErrNodeNeeded: the node answers or did a short time ago, or something would be lost
	// without it. The text says which, and what to do.
	ErrNodeNeeded = errors.New("the node is not removed")
)

// ErrSetting: there is no such setting of the cluster, or it cannot have that value.
var ErrSetting = errors.New("bad setting")

// ErrNotDrained: a node cannot be drained now, or not be taken back.
var ErrNotDrained = errors.New("not possible")

// ErrFounded says that there is a cluster already.
var ErrFounded = errors.New("there is a cluster already")

var (
	errAlone    = fmt.Errorf("%w: the node is alone, so there is nobody to hand over to", ErrNotDrained)
	errOut      = errors.New("the node has left its cluster; ask another one, or take it back: ssoctl undrain")
	errStarting = errors.New("the node is starting")
	errRequest  = errors.New("malformed request")
	errNotFound = errors.New("not found")
)

// badRequest is an error that tells the operator what to mend.
func badRequest(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errRequest, fmt.Sprintf(format, args...))
}

// failure is what the operator sees of an error.
type failure struct {
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Trace   string `json:"trace"`

	retryAfter time.Duration // of a 503, if the error knows; else a second
}

// failures lists what can go wrong, the first match wins. Operators are told
// the text of the error: it names no secret, and they can act on it.
var failures = []struct {
	is     error
	status int
	code   string
}{
	{errRequest, http.StatusBadRequest, "request_invalid"},
	{registration.ErrInput, http.StatusBadRequest, "request_invalid"},
	{ErrSetting, http.StatusBadRequest, "request_invalid"},
	{degradation.ErrOrder, http.StatusBadRequest, "request_invalid"},
	{ErrRecipient, http.StatusBadRequest, "request_invalid"},
	{ErrBackups, http.StatusConflict, "limit_reached"},
	{errNotFound, http.StatusNotFound, "not_found"},
	{registration.ErrUnknown, http.StatusNotFound, "not_found"},
	{webhook.ErrNoLetter, http.StatusNotFound, "not_found"},
	{webhook.ErrPosition, http.StatusBadRequest, "request_invalid"},
	{ErrNoNode, http.StatusNotFound, "not_found"},
	{ErrNoErasure, http.StatusNotFound, "not_found"},
	{ErrUnfinished, http.StatusServiceUnavailable, "not_erased"},
	{ErrNotDrained, http.StatusConflict, "not_possible"},
	{ErrNodeNeeded, http.StatusConflict, "not_possible"},
	{ErrFounded, http.StatusConflict, "not_possible"},
	{degradation.ErrNotNow, http.StatusConflict, "not_possible"},
	{degradation.ErrFull, http.StatusConflict, "limit_reached"},
	{keys.ErrUnknownKey, http.StatusNotFound, "not_found"},
	{keys.ErrFixed, http.StatusConflict, "not_possible"},
	{keys.ErrTooManyKeys, http.StatusConflict, "limit_reached"},
	{keys.ErrRotating, http.StatusConflict, "limit_reached"},
	{registration.ErrFull, http.StatusConflict, "limit_reached"},
	{config.ErrRestart, http.StatusConflict, "restart_needed"},
	{ErrConfiguration, http.StatusUnprocessableEntity, "configuration_invalid"},
	{ErrReload, http.StatusServiceUnavailable, "service_unavailable"},
	{errOut, http.StatusServiceUnavailable, "service_unavailable"},
	{errStarting, http.StatusServiceUnavailable, "service_unavailable"},
	{actors.ErrUnknown, http.StatusServiceUnavailable, "outcome_unknown"},
	{cluster.ErrUnknown, http.StatusServiceUnavailable, "outcome_unknown"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "outcome_unknown"},
	{context.Canceled, http.StatusServiceUnavailable, "outcome_unknown"},
	{actors.ErrUnavailable, http.StatusServiceUnavailable, "service_unavailable"},
	{actors.ErrOverloaded, http.StatusServiceUnavailable, "service_unavailable"},
	{cluster.ErrRefused, http.StatusServiceUnavailable, "service_unavailable"},
}

// classify maps err to what the operator sees. Anything unlisted is a fault of ours, logged
// under the trace.
func classify(err error) failure {
	for _, f := range failures {
		if errors.Is(err, f.is) {
			message := strings.TrimPrefix(err.Error(), errRequest.Error()+": ")
			return failure{Status: f.status, Code: f.code, Message: message, retryAfter: retryAfter(err)}
		}
	}
	return failure{Status: http.StatusInternalServerError, Code: "internal_error", Message: "An internal error occurred; see the log"}
}

// retryAfter is the time that the error itself names.
func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*actors.OverloadedError](err); ok {
		return e.RetryAfter
	}
	return 0
}

func writeFailure(w http.ResponseWriter, c *call, f failure) int {
	f.Trace = c.trace()
	if f.Status == http.StatusServiceUnavailable {
		whole := (max(f.retryAfter, time.Second) + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(whole), 10))
	}
	return write(w, f.Status, f)
}

func writeResult(w http.ResponseWriter, _ *call, result any) int {
	switch r := result.(type) {
	case nil:
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
		return http.StatusNoContent
	case created:
		return write(w, http.StatusCreated, r.result)
	case accepted:
		return write(w, http.StatusAccepted, r.result)
	default:
		return write(w, http.StatusOK, r)
	}
}

func write(w http.ResponseWriter, status int, body any) int {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(body) // the client is gone
	return status
}
