package target

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Credentials are n access tokens for one realm, each of a client of its own,
// got the way apps get them: a software statement of the operator, a
// registration, a client-credentials grant.
func (s *Service) Credentials(ctx context.Context, r Realm, n int) ([]string, error) {
	var statement struct {
		SoftwareStatement string `json:"softwareStatement"`
	}
	err := s.post(ctx, "http://"+s.Admin+"/admin/v1/software-statements", map[string]any{
		"clientName": "ssobench", "serviceProviders": []string{r.ServiceProvider}, "scopes": []string{"api:client:v2"},
	}, &statement)
	if err != nil {
		return nil, err
	}
	tokens := make([]string, n)
	for i := range tokens {
		if tokens[i], err = s.accessToken(ctx, statement.SoftwareStatement); err != nil {
			return nil, err
		}
	}
	return tokens, nil
}

func (s *Service) accessToken(ctx context.Context, statement string) (string, error) {
	var client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	err := s.post(ctx, "http://"+s.HTTP+"/o/client/register", map[string]any{"software_statement": statement}, &client)
	if err != nil {
		return "", err
	}
	var grant struct {
		AccessToken string `json:"access_token"`
	}
	err = s.post(ctx, "http://"+s.HTTP+"/o/client/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {client.ID}, "client_secret": {client.Secret},
	}, &grant)
	return grant.AccessToken, err
}

// post sends a form or JSON and decodes the answer, which must be 201.
func (s *Service) post(ctx context.Context, to string, in, out any) error {
	contentType, body := "application/json", []byte(nil)
	if form, ok := in.(url.Values); ok {
		contentType, body = "application/x-www-form-urlencoded", []byte(form.Encode())
	} else {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("POST %s: %s: %s", to, response.Status, strings.TrimSpace(string(answer)))
	}
	return json.Unmarshal(answer, out)
}
