// Package tests drives a service with the published Go SDK of the cloud whose API it has.
package tests

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
)

const (
	password   = "Test-Pass-4711"
	startLimit = 30 * time.Second
)

// service is one that runs, and a user of it.
type service struct {
	endpoint, data, binary      string
	project, domain, user       string
	token, accessKey, secretKey string
}

// start runs a service until the end of the test.
func start(t *testing.T) *service {
	t.Helper()
	binary := os.Getenv("WEIR_BIN")
	if binary == "" {
		t.Fatal("WEIR_BIN must name the binary; scripts/test_go.sh does so")
	}
	data := filepath.Join(t.TempDir(), "data")
	command := exec.Command(binary, "serve", "--listen", "127.0.0.1:0", "--s3-listen", "off", "--data", data)
	command.Env = append(os.Environ(), "WEIR_ADMIN_PASSWORD="+password)
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		// It may have ended before.
		_ = command.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(startLimit):
			_ = command.Process.Kill()
			t.Error("the service did not end")
		}
		if t.Failed() {
			t.Log(said.String())
		}
	})
	s := &service{data: data, binary: binary}
	s.endpoint = waitForAddress(t, filepath.Join(data, "endpoint"), ended, &said)
	s.logIn(t)
	return s
}

func waitForAddress(t *testing.T, path string, ended <-chan error, said *bytes.Buffer) string {
	t.Helper()
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 {
			address := strings.TrimSpace(string(text))
			if !strings.HasPrefix(address, "http") {
				address = "http://" + address
			}
			return address
		}
		select {
		case err := <-ended:
			t.Fatalf("the service ended: %v\n%s", err, said.String())
		default:
		}
	}
	t.Fatalf("the service wrote no %s in %s", path, startLimit)
	return ""
}

// logIn gets an access key for the administrator, as a person would with any HTTP client.
func (s *service) logIn(t *testing.T) {
	t.Helper()
	user := map[string]any{"name": "admin", "password": password, "domain": map[string]any{"name": "weir"}}
	identity := map[string]any{"methods": []string{"password"}, "password": map[string]any{"user": user}}
	scope := map[string]any{"project": map[string]any{"name": "local"}}
	header, answer := s.post(t, "/v3/auth/tokens", map[string]any{"auth": map[string]any{"identity": identity, "scope": scope}})
	token := answer["token"].(map[string]any)
	s.token = header.Get("X-Subject-Token")
	s.user = token["user"].(map[string]any)["id"].(string)
	project := token["project"].(map[string]any)
	s.project = project["id"].(string)
	s.domain = project["domain"].(map[string]any)["id"].(string)
	_, answer = s.post(t, "/v3.0/OS-CREDENTIAL/credentials", map[string]any{"credential": map[string]any{"user_id": s.user}})
	key := answer["credential"].(map[string]any)
	s.accessKey, s.secretKey = key["access"].(string), key["secret"].(string)
}

func (s *service) post(t *testing.T, path string, body any) (http.Header, map[string]any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, s.endpoint+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Auth-Token", s.token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 {
		t.Fatalf("POST %s: %s %v\n%s", path, answer.Status, err, read)
	}
	var decoded map[string]any
	if err := json.Unmarshal(read, &decoded); err != nil {
		t.Fatalf("POST %s: %v\n%s", path, err, read)
	}
	return answer.Header, decoded
}

// credentials are those of the SDK, with the project named: it signs each request with the access key.
func (s *service) credentials(t *testing.T) *basic.Credentials {
	t.Helper()
	made, err := basic.NewCredentialsBuilder().WithAk(s.accessKey).WithSk(s.secretKey).WithProjectId(s.project).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// weir runs a command of the operator on the machine of the service.
func (s *service) weir(t *testing.T, arguments ...string) string {
	t.Helper()
	command := exec.Command(s.binary, arguments...)
	command.Env = append(os.Environ(), "WEIR_DATA="+s.data)
	output, err := command.Output()
	if err != nil {
		t.Fatalf("weir %s: %v", strings.Join(arguments, " "), err)
	}
	return strings.TrimSpace(string(output))
}
