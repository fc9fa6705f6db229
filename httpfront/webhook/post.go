package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// answerBytes is how much is read of the headers of an answer, and of its body, so that the
// connection can be used again.
const answerBytes = 4 << 10

// verdict is what came of one delivery.
type verdict struct {
	delivered bool
	gone      bool          // 410: the receiver wants nothing more
	wait      time.Duration // the receiver's Retry-After
	why       string        // never quotes the receiver
}

// post delivers an event once.
func (r *receiver) post(ctx context.Context, l letter, now time.Time) verdict {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, r.hook.URL, bytes.NewReader(l.JSON))
	if err != nil {
		return verdict{why: "the url cannot be used"}
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("User-Agent", "ssod")
	q.Header.Set("webhook-id", l.name())
	q.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	q.Header.Set("webhook-signature", sign(r.secrets, l.name(), now, l.JSON))
	answer, err := r.client.Do(q)
	if err != nil {
		return verdict{why: reason(err)}
	}
	defer answer.Body.Close()
	_, err = io.CopyN(io.Discard, answer.Body, answerBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return verdict{why: reason(err)}
	}
	return judge(answer)
}

func judge(answer *http.Response) verdict {
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		return verdict{delivered: true}
	case code == http.StatusGone:
		return verdict{gone: true, why: "410: the receiver wants no more events"}
	default:
		return verdict{why: fmt.Sprintf("answered %d", code), wait: retryAfter(answer.Header.Get("Retry-After"))}
	}
}

// maxRetryAfter bounds how long a receiver is left alone because it asks for that.
const maxRetryAfter = time.Hour

func retryAfter(value string) time.Duration {
	n, err := strconv.Atoi(value)
	if err != nil || n <= 0 {
		return 0
	}
	return min(time.Duration(n)*time.Second, maxRetryAfter)
}
