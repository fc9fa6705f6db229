package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"ssod/httpfront/api/admin"
	"ssod/httpfront/fronttest/openapitest"
)

var openAPI = sync.OnceValues(func() (*openapi3.T, error) { return openapitest.Parse(admin.OpenAPI()) })

// asDocumented reports what is wrong with an answer by the document.
func asDocumented(request *http.Request, body string, response *http.Response, answer string) error {
	doc, err := openAPI()
	if err != nil {
		return err
	}
	err = openapitest.Check(doc, request, []byte(body), response, []byte(answer))
	if errors.Is(err, openapitest.ErrNoOperation) {
		return elsewhere(request, response, answer)
	}
	return err
}

// elsewhere checks what the introduction of the document says about other paths and
// methods.
func elsewhere(request *http.Request, response *http.Response, answer string) error {
	switch status := response.StatusCode; {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
	case status != http.StatusNotFound && status != http.StatusMethodNotAllowed:
		return fmt.Errorf("no operation of the document, and answered %d", status)
	case !strings.HasPrefix(request.URL.Path, "/admin/v1/"):
		return nil
	}
	var f struct {
		Status               int
		Code, Message, Trace string
	}
	if err := json.Unmarshal([]byte(answer), &f); request.Method != http.MethodHead && (err != nil || f.Status != response.StatusCode || f.Trace == "") {
		return fmt.Errorf("%s is no error of this API", answer)
	}
	return nil
}
