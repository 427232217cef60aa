package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/def"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/region"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	vpc "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v2"
	vpcmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/vpc/v2/model"
)

// pollLimit is far more than anything takes here; the tools that people have poll once a second.
const pollLimit = 60 * time.Second

// csRequest has what is in the paths of the API, and a body. The SDK finds the fields by their names.
type csRequest struct {
	ClusterID string         `json:"cluster_id"`
	PeeringID string         `json:"peering_id"`
	RouteID   string         `json:"route_id"`
	Body      map[string]any `json:"body,omitempty"`
}

type csResponse struct {
	Body           *string `json:"body,omitempty"`
	HttpStatusCode int     `json:"-"`
}

// refusal is an error of the API, in the words of its contract.
type refusal struct {
	ID    string `json:"error_id"`
	Name  string `json:"error_name"`
	Cause string `json:"error_cause"`
}

func (r refusal) Error() string { return r.ID + " " + r.Name + ": " + r.Cause }

type object = map[string]any

// client makes calls of the API through the SDK, which has no package of its own for this service: paths are those of the contract,
// and all else (path parameters, encoding, signature, retries, errors) is done by the SDK.
type client struct {
	*core.HcHttpClient
}

// regional is a client that knows the name of its project alone, and asks the identity service for its id.
func (s *service) regional(t *testing.T) client {
	t.Helper()
	credentials, err := basic.NewCredentialsBuilder().
		WithAk(s.accessKey).WithSk(s.secretKey).WithIamEndpointOverride(s.endpoint).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	built, err := core.NewHcHttpClientBuilder().
		WithCredential(credentials).WithRegion(region.NewRegion("local", s.endpoint)).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return client{built}
}

func (c client) call(method, path string, request csRequest) (object, int, error) {
	builder := def.NewHttpRequestDefBuilder().
		WithMethod(method).
		WithPath("/v1.0/{project_id}" + path).
		WithResponse(new(csResponse)).
		WithContentType("application/json").
		WithResponseField(def.NewFieldDef().WithName("Body").WithLocationType(def.Body))
	for name, tag := range map[string]string{
		"ClusterID": "cluster_id", "PeeringID": "peering_id", "RouteID": "route_id",
	} {
		builder.WithRequestField(def.NewFieldDef().WithName(name).WithJsonTag(tag).WithLocationType(def.Path))
	}
	if request.Body != nil {
		builder.WithRequestField(def.NewFieldDef().WithName("Body").WithLocationType(def.Body))
	}
	answer, err := c.Sync(request, builder.Build())
	if err != nil {
		return nil, 0, refused(err)
	}
	response := answer.(*csResponse)
	if response.Body == nil || *response.Body == "" {
		return nil, response.HttpStatusCode, nil
	}
	var decoded object
	if err := json.Unmarshal([]byte(*response.Body), &decoded); err != nil {
		return nil, response.HttpStatusCode, fmt.Errorf("%w: %s", err, *response.Body)
	}
	return decoded, response.HttpStatusCode, nil
}

// refused reads an error of the API out of that of the SDK.
func refused(err error) error {
	var failed *sdkerr.ServiceResponseError
	if !errors.As(err, &failed) {
		return err
	}
	var found refusal
	if json.Unmarshal([]byte(failed.ErrorMessage), &found) != nil || found.ID == "" {
		return err
	}
	if failed.StatusCode != http.StatusBadRequest {
		return fmt.Errorf("status %d: %w", failed.StatusCode, found)
	}
	return found
}

func (c client) must(t *testing.T, method, path string, request csRequest) object {
	t.Helper()
	answer, status, err := c.call(method, path, request)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%s %s: status %d, %v", method, path, status, err)
	}
	return answer
}

func mustRefuse(t *testing.T, err error, id string) {
	t.Helper()
	var found refusal
	if !errors.As(err, &found) || found.ID != id {
		t.Fatalf("%s was expected, not %v", id, err)
	}
}

// poll looks until it has seen what it looks for.
func poll(t *testing.T, what string, look func() (bool, error)) {
	t.Helper()
	for deadline := time.Now().Add(pollLimit); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		done, err := look()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if done {
			return
		}
	}
	t.Fatalf("%s took longer than %s", what, pollLimit)
}

// createCluster makes a cluster and waits as the published Terraform provider does: codes 1 and 4 go on, 3, 5 and 8 are the end.
func createCluster(t *testing.T, c client, name string) csRequest {
	t.Helper()
	body := object{"name": name, "desc": "made by Go", "maximum_spu_quota": 10, "vpc_cidr": "172.20.0.0/23",
		"subnet_cidr": "172.20.0.0/24", "subnet_gateway": "172.20.0.1"}
	created := c.must(t, http.MethodPost, "/reserved_cluster", csRequest{Body: body})
	id := created["payload"].(object)["cluster_id"].(float64)
	at := csRequest{ClusterID: strconv.Itoa(int(id))}
	poll(t, "creating a cluster", func() (bool, error) {
		answer, _, err := c.call(http.MethodGet, "/reserved_cluster/{cluster_id}", at)
		if err != nil {
			return false, err
		}
		switch code := int(answer["payload"].(object)["status_code"].(float64)); code {
		case 1, 4:
			return false, nil
		case 3, 5, 8:
			return true, nil
		default:
			return false, fmt.Errorf("status code %d", code)
		}
	})
	// Peerings need a cluster that runs; 3 is on the way there.
	poll(t, "starting a cluster", func() (bool, error) {
		answer, _, err := c.call(http.MethodGet, "/reserved_cluster/{cluster_id}", at)
		return err == nil && answer["payload"].(object)["status_code"] == 5.0, err
	})
	return at
}

// deleteCluster deletes it and waits until the API knows it no more.
func deleteCluster(t *testing.T, c client, at csRequest) {
	t.Helper()
	c.must(t, http.MethodDelete, "/reserved_cluster/{cluster_id}", at)
	pollGone(t, c, "/reserved_cluster/{cluster_id}", at, "CS.20005")
}

func pollGone(t *testing.T, c client, path string, at csRequest, id string) {
	t.Helper()
	poll(t, "deleting", func() (bool, error) {
		_, _, err := c.call(http.MethodGet, path, at)
		var found refusal
		if errors.As(err, &found) && found.ID == id {
			return true, nil
		}
		return false, err
	})
}

func TestAClusterIsCreatedChangedAndDeleted(t *testing.T) {
	s := start(t)
	c := s.regional(t)
	at := createCluster(t, c, "go")
	shown := c.must(t, http.MethodGet, "/reserved_cluster/{cluster_id}", at)["payload"].(object)
	for member, expected := range map[string]any{
		"name": "go", "desc": "made by Go", "maximum_spu_quota": 10.0, "vpc_cidr": "172.20.0.0/23",
		"subnet_cidr": "172.20.0.0/24", "subnet_gateway": "172.20.0.1", "status_name": "cluster_running",
	} {
		if shown[member] != expected {
			t.Errorf("%s is %v, expected is %v", member, shown[member], expected)
		}
	}
	// The provider turns this text into a number.
	if spus, err := strconv.Atoi(fmt.Sprint(shown["manager_node_spu"])); err != nil || spus != 2 {
		t.Errorf("manager_node_spu is %v", shown["manager_node_spu"])
	}
	if made := shown["created_at"].(float64); time.Since(time.UnixMilli(int64(made))) > time.Hour {
		t.Errorf("created_at is %v", made)
	}

	change := csRequest{ClusterID: at.ClusterID, Body: object{"name": "gopher", "maximum_spu_quota": 20}}
	c.must(t, http.MethodPatch, "/reserved_cluster/{cluster_id}", change)
	poll(t, "changing a cluster", func() (bool, error) {
		answer, _, err := c.call(http.MethodGet, "/reserved_cluster/{cluster_id}", at)
		if err != nil {
			return false, err
		}
		now := answer["payload"].(object)
		return now["status_code"] == 5.0 && now["name"] == "gopher" && now["maximum_spu_quota"] == 20.0, nil
	})
	_, _, err := c.call(http.MethodPost, "/reserved_cluster", csRequest{Body: object{"name": "gopher"}})
	mustRefuse(t, err, "CS.20006")
	deleteCluster(t, c, at)
	_, _, err = c.call(http.MethodDelete, "/reserved_cluster/{cluster_id}", at)
	mustRefuse(t, err, "CS.20005")
}

// A peering is asked for over this API, accepted over that of the VPC service by the client of the SDK for it, and has a route.
func TestAPeeringIsAcceptedAndRouted(t *testing.T) {
	s := start(t)
	network := s.weir(t, "operate", "network", "add", "office", "192.168.0.0/16")
	c := s.regional(t)
	built, err := vpc.VpcClientBuilder().WithCredential(s.credentials(t)).WithEndpoint(s.endpoint).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	networks := vpc.NewVpcClient(built)

	at := createCluster(t, c, "peered")
	asked := csRequest{ClusterID: at.ClusterID, Body: object{"name": "to-office", "vpc_id": network}}
	peering := c.must(t, http.MethodPost, "/reserved_cluster/{cluster_id}/peering", asked)["peering"].(object)
	at.PeeringID = peering["id"].(string)
	if peering["status"] != "PENDING_ACCEPTANCE" {
		t.Fatalf("the peering begins in %v", peering["status"])
	}
	const one = "/reserved_cluster/{cluster_id}/peering/{peering_id}"
	route := csRequest{ClusterID: at.ClusterID, PeeringID: at.PeeringID, Body: object{"destination": "192.168.7.0/24"}}
	_, _, err = c.call(http.MethodPost, one+"/route", route)
	mustRefuse(t, err, "CS.22105")

	accepted, err := networks.AcceptVpcPeering(&vpcmodel.AcceptVpcPeeringRequest{PeeringId: at.PeeringID})
	if err != nil {
		t.Fatal(err)
	}
	if accepted.Status == nil || accepted.Status.Value() != "ACTIVE" || accepted.AcceptVpcInfo.VpcId != network {
		t.Fatalf("accepted: %v", accepted)
	}
	poll(t, "accepting a peering", func() (bool, error) {
		answer, _, err := c.call(http.MethodGet, one, at)
		return err == nil && answer["peering"].(object)["status"] == "ACTIVE", err
	})

	made := c.must(t, http.MethodPost, one+"/route", route)["route"].(object)
	at.RouteID = made["id"].(string)
	found := false
	for _, listed := range c.must(t, http.MethodGet, one+"/route", at)["routes"].([]any) {
		found = found || listed.(object)["id"] == at.RouteID && listed.(object)["destination"] == "192.168.7.0/24"
	}
	if !found {
		t.Fatalf("route %s is not in the list", at.RouteID)
	}

	for _, path := range []string{one + "/route/{route_id}", one} {
		if _, status, err := c.call(http.MethodDelete, path, at); err != nil || status != http.StatusNoContent {
			t.Fatalf("DELETE %s: status %d, %v", path, status, err)
		}
	}
	pollGone(t, c, one, at, "CS.22103")
	deleteCluster(t, c, at)
}
