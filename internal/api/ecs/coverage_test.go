package ecs

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"berth/internal/frontdoor"
)

// actedOn are the members of each served operation's request that the code acts on: at least on some of their values. A path names the
// members of a member. What is here and in docs/coverage.md is all that the SDK has; a test says so.
var actedOn = map[string]string{
	"CreateCluster":                 "configuration capacityProviders clusterName defaultCapacityProviderStrategy tags",
	"DescribeClusters":              "clusters include",
	"PutAccountSetting":             "principalArn value",
	"PutAccountSettingDefault":      "value",
	"DeleteAccountSetting":          "name principalArn",
	"ListAccountSettings":           "effectiveSettings maxResults name nextToken principalArn value",
	"ListClusters":                  "maxResults nextToken",
	"UpdateCluster":                 "configuration cluster",
	"UpdateClusterSettings":         "cluster",
	"PutClusterCapacityProviders":   "capacityProviders cluster defaultCapacityProviderStrategy",
	"DeleteCluster":                 "cluster",
	"DescribeCapacityProviders":     "capacityProviders cluster include maxResults nextToken",
	"RegisterTaskDefinition":        "containerDefinitions family cpu enableFaultInjection ephemeralStorage ipcMode memory networkMode pidMode placementConstraints requiresCompatibilities runtimePlatform tags volumes taskRoleArn executionRoleArn",
	"DescribeTaskDefinition":        "taskDefinition include",
	"ListTaskDefinitions":           "familyPrefix maxResults nextToken sort status",
	"ListTaskDefinitionFamilies":    "familyPrefix maxResults nextToken status",
	"DeregisterTaskDefinition":      "taskDefinition",
	"DeleteTaskDefinitions":         "taskDefinitions",
	"TagResource":                   "resourceArn tags",
	"UntagResource":                 "resourceArn tagKeys",
	"ListTagsForResource":           "resourceArn",
	"CreateService":                 "serviceName availabilityZoneRebalancing capacityProviderStrategy clientToken cluster deploymentConfiguration deploymentController desiredCount enableECSManagedTags enableExecuteCommand healthCheckGracePeriodSeconds launchType networkConfiguration placementConstraints placementStrategy platformVersion propagateTags schedulingStrategy serviceConnectConfiguration tags taskDefinition",
	"UpdateService":                 "service availabilityZoneRebalancing capacityProviderStrategy cluster deploymentConfiguration deploymentController desiredCount enableECSManagedTags enableExecuteCommand forceNewDeployment healthCheckGracePeriodSeconds networkConfiguration placementConstraints placementStrategy platformVersion propagateTags serviceConnectConfiguration taskDefinition",
	"DeleteService":                 "service cluster force",
	"DescribeServices":              "services cluster include",
	"CreateTaskSet":                 "capacityProviderStrategy clientToken cluster externalId launchType networkConfiguration platformVersion scale service tags taskDefinition",
	"DescribeTaskSets":              "cluster include service taskSets",
	"UpdateTaskSet":                 "cluster scale service taskSet",
	"DeleteTaskSet":                 "cluster force service taskSet",
	"UpdateServicePrimaryTaskSet":   "cluster primaryTaskSet service",
	"ListServiceDeployments":        "cluster createdAt maxResults nextToken service status",
	"DescribeServiceDeployments":    "serviceDeploymentArns",
	"DescribeServiceRevisions":      "serviceRevisionArns",
	"StopServiceDeployment":         "serviceDeploymentArn stopType",
	"ListServices":                  "cluster launchType maxResults nextToken resourceManagementType schedulingStrategy",
	"ListServicesByNamespace":       "maxResults namespace nextToken",
	"StopTask":                      "task cluster reason",
	"DescribeTasks":                 "tasks cluster include",
	"UpdateTaskProtection":          "cluster expiresInMinutes protectionEnabled tasks",
	"GetTaskProtection":             "cluster tasks",
	"ExecuteCommand":                "cluster command container interactive task",
	"ListTasks":                     "cluster containerInstance desiredStatus family launchType maxResults nextToken serviceName startedBy",
	"RegisterContainerInstance":     "attributes cluster containerInstanceArn instanceIdentityDocument platformDevices tags totalResources versionInfo",
	"DeregisterContainerInstance":   "containerInstance cluster force",
	"DescribeContainerInstances":    "containerInstances cluster include",
	"ListContainerInstances":        "cluster filter maxResults nextToken status",
	"PutAttributes":                 "attributes cluster",
	"DeleteAttributes":              "attributes cluster",
	"ListAttributes":                "attributeName attributeValue cluster maxResults nextToken targetType",
	"UpdateContainerAgent":          "cluster containerInstance",
	"UpdateContainerInstancesState": "containerInstances status cluster",
	"RunTask":                       "taskDefinition capacityProviderStrategy clientToken cluster count enableECSManagedTags enableExecuteCommand group launchType networkConfiguration overrides placementConstraints placementStrategy platformVersion propagateTags startedBy tags",
	"StartTask":                     "containerInstances taskDefinition cluster enableECSManagedTags enableExecuteCommand group networkConfiguration overrides propagateTags startedBy tags",
	"DiscoverPollEndpoint":          "cluster containerInstance",
	"SubmitTaskStateChange":         "attachments cluster containers executionStoppedAt pullStartedAt pullStoppedAt reason status task",
	"SubmitContainerStateChange":    "cluster containerName exitCode networkBindings reason runtimeId status task",
	"SubmitAttachmentStateChanges":  "cluster",
	"CreateCluster.configuration":   "executeCommandConfiguration",
	"CreateCluster.configuration.executeCommandConfiguration":                  "logConfiguration logging",
	"CreateCluster.configuration.executeCommandConfiguration.logConfiguration": "cloudWatchLogGroupName s3BucketName",
	"UpdateCluster.configuration":                                              "executeCommandConfiguration",
	"UpdateCluster.configuration.executeCommandConfiguration":                  "logConfiguration logging",
	"UpdateCluster.configuration.executeCommandConfiguration.logConfiguration": "cloudWatchLogGroupName s3BucketName",
	"RegisterTaskDefinition.containerDefinitions.firelensConfiguration": `options
		type`,
	"RegisterTaskDefinition.containerDefinitions": `command cpu dependsOn disableNetworking dnsSearchDomains dnsServers dockerLabels
		dockerSecurityOptions entryPoint environment environmentFiles essential extraHosts firelensConfiguration healthCheck hostname image interactive links linuxParameters
		logConfiguration memory memoryReservation mountPoints name portMappings privileged pseudoTerminal readonlyRootFilesystem repositoryCredentials resourceRequirements restartPolicy secrets
		startTimeout stopTimeout systemControls ulimits user versionConsistency volumesFrom workingDirectory`,
	"RegisterTaskDefinition.containerDefinitions.linuxParameters":                           "capabilities devices initProcessEnabled maxSwap sharedMemorySize swappiness tmpfs",
	"RegisterTaskDefinition.containerDefinitions.logConfiguration":                          "logDriver options secretOptions",
	"RegisterTaskDefinition.containerDefinitions.portMappings":                              "containerPort containerPortRange hostPort protocol",
	"RegisterTaskDefinition.volumes":                                                        "configuredAtLaunch dockerVolumeConfiguration host name",
	"CreateService.deploymentController":                                                    "type",
	"UpdateService.deploymentController":                                                    "type",
	"CreateService.deploymentConfiguration":                                                 deploymentMembers,
	"UpdateService.deploymentConfiguration":                                                 deploymentMembers,
	"RunTask.overrides":                                                                     "containerOverrides cpu ephemeralStorage memory taskRoleArn executionRoleArn",
	"StartTask.overrides":                                                                   "containerOverrides cpu ephemeralStorage memory taskRoleArn executionRoleArn",
	"RunTask.overrides.ephemeralStorage":                                                    "sizeInGiB",
	"StartTask.overrides.ephemeralStorage":                                                  "sizeInGiB",
	"RegisterTaskDefinition.ephemeralStorage":                                               "sizeInGiB",
	"CreateCluster.defaultCapacityProviderStrategy":                                         providerMembers,
	"PutClusterCapacityProviders.defaultCapacityProviderStrategy":                           providerMembers,
	"CreateService.capacityProviderStrategy":                                                providerMembers,
	"UpdateService.capacityProviderStrategy":                                                providerMembers,
	"CreateTaskSet.capacityProviderStrategy":                                                providerMembers,
	"RunTask.capacityProviderStrategy":                                                      providerMembers,
	"CreateService.networkConfiguration":                                                    "awsvpcConfiguration",
	"UpdateService.networkConfiguration":                                                    "awsvpcConfiguration",
	"CreateTaskSet.networkConfiguration":                                                    "awsvpcConfiguration",
	"RunTask.networkConfiguration":                                                          "awsvpcConfiguration",
	"StartTask.networkConfiguration":                                                        "awsvpcConfiguration",
	"CreateService.networkConfiguration.awsvpcConfiguration":                                awsvpcMembers,
	"UpdateService.networkConfiguration.awsvpcConfiguration":                                awsvpcMembers,
	"CreateTaskSet.networkConfiguration.awsvpcConfiguration":                                awsvpcMembers,
	"RunTask.networkConfiguration.awsvpcConfiguration":                                      awsvpcMembers,
	"StartTask.networkConfiguration.awsvpcConfiguration":                                    awsvpcMembers,
	"SubmitTaskStateChange.attachments":                                                     "status",
	"RunTask.overrides.containerOverrides":                                                  containerOverrideMembers,
	"StartTask.overrides.containerOverrides":                                                containerOverrideMembers,
	"RegisterTaskDefinition.containerDefinitions.dependsOn":                                 "condition containerName",
	"RegisterTaskDefinition.containerDefinitions.environmentFiles":                          "type value",
	"RegisterTaskDefinition.containerDefinitions.environment":                               "name value",
	"RegisterTaskDefinition.containerDefinitions.extraHosts":                                "hostname ipAddress",
	"RegisterTaskDefinition.containerDefinitions.healthCheck":                               "command interval retries startPeriod timeout",
	"RegisterTaskDefinition.containerDefinitions.linuxParameters.capabilities":              "add drop",
	"RegisterTaskDefinition.containerDefinitions.linuxParameters.devices":                   "containerPath hostPath permissions",
	"RegisterTaskDefinition.containerDefinitions.linuxParameters.tmpfs":                     "containerPath mountOptions size",
	"RegisterTaskDefinition.containerDefinitions.mountPoints":                               "containerPath readOnly sourceVolume",
	"RegisterTaskDefinition.containerDefinitions.resourceRequirements":                      requirementMembers,
	"RegisterTaskDefinition.containerDefinitions.repositoryCredentials":                     "credentialsParameter",
	"RegisterTaskDefinition.containerDefinitions.restartPolicy":                             "enabled ignoredExitCodes restartAttemptPeriod",
	"RegisterTaskDefinition.containerDefinitions.secrets":                                   "name valueFrom",
	"RegisterTaskDefinition.containerDefinitions.logConfiguration.secretOptions":            "name valueFrom",
	"RegisterTaskDefinition.containerDefinitions.systemControls":                            "namespace value",
	"RegisterTaskDefinition.containerDefinitions.ulimits":                                   "hardLimit name softLimit",
	"RegisterTaskDefinition.containerDefinitions.volumesFrom":                               "readOnly sourceContainer",
	"RegisterTaskDefinition.placementConstraints":                                           constraintMembers,
	"RegisterTaskDefinition.runtimePlatform":                                                "cpuArchitecture operatingSystemFamily",
	"RegisterTaskDefinition.volumes.dockerVolumeConfiguration":                              "autoprovision driver driverOpts labels scope",
	"RegisterTaskDefinition.volumes.host":                                                   "sourcePath",
	"CreateService.deploymentConfiguration.deploymentCircuitBreaker":                        breakerMembers,
	"UpdateService.deploymentConfiguration.deploymentCircuitBreaker":                        breakerMembers,
	"CreateService.deploymentConfiguration.deploymentCircuitBreaker.thresholdConfiguration": "type value",
	"UpdateService.deploymentConfiguration.deploymentCircuitBreaker.thresholdConfiguration": "type value",
	"CreateService.placementConstraints":                                                    constraintMembers,
	"UpdateService.placementConstraints":                                                    constraintMembers,
	"RunTask.placementConstraints":                                                          constraintMembers,
	"CreateService.placementStrategy":                                                       "field type",
	"UpdateService.placementStrategy":                                                       "field type",
	"RunTask.placementStrategy":                                                             "field type",
	"RunTask.overrides.containerOverrides.environmentFiles":                                 "type value",
	"RunTask.overrides.containerOverrides.environment":                                      "name value",
	"StartTask.overrides.containerOverrides.environmentFiles":                               "type value",
	"StartTask.overrides.containerOverrides.environment":                                    "name value",
	"RunTask.overrides.containerOverrides.resourceRequirements":                             requirementMembers,
	"StartTask.overrides.containerOverrides.resourceRequirements":                           requirementMembers,
	"ListServiceDeployments.createdAt":                                                      "after before",
	"CreateTaskSet.scale":                                                                   "unit value",
	"UpdateTaskSet.scale":                                                                   "unit value",
	"RegisterContainerInstance.attributes":                                                  "name value",
	"RegisterContainerInstance.platformDevices":                                             "id type",
	"RegisterContainerInstance.totalResources":                                              "integerValue name stringSetValue type",
	"RegisterContainerInstance.versionInfo":                                                 "agentHash agentVersion dockerVersion",
	"PutAttributes.attributes":                                                              "name targetId targetType value",
	"DeleteAttributes.attributes":                                                           "name targetId targetType value",
	"SubmitTaskStateChange.containers":                                                      "containerName exitCode imageDigest networkBindings reason runtimeId status",
	"SubmitTaskStateChange.containers.networkBindings":                                      bindingMembers,
	"SubmitContainerStateChange.networkBindings":                                            bindingMembers,
}

const (
	deploymentMembers        = "bakeTimeInMinutes deploymentCircuitBreaker maximumPercent minimumHealthyPercent strategy"
	containerOverrideMembers = "command cpu environment environmentFiles memory memoryReservation name resourceRequirements"
	requirementMembers       = "type value"
	constraintMembers        = "expression type"
	providerMembers          = "base capacityProvider weight"
	awsvpcMembers            = "assignPublicIp securityGroups subnets"
	breakerMembers           = "enable resetOnHealthyTask rollback thresholdConfiguration"
	bindingMembers           = "bindIP containerPort containerPortRange hostPort hostPortRange protocol"
)

// coverage is what docs/coverage.md says.
type coverage struct {
	served, refused []string
	members         map[string][]member // by operation
}

// member is one that the page lists: part says that only some of its values are refused.
type member struct {
	path string
	part bool
}

var (
	servedRow   = regexp.MustCompile("(?m)^\\| ([A-Za-z]+) \\| `internal/api/ecs/([a-z_]+\\.go)` \\|$")
	refusedItem = regexp.MustCompile(`(?m)^- ([A-Za-z]+)$`)
	listed      = regexp.MustCompile("(?s)^`([A-Za-z0-9.]+)`(.*)$")
)

func readCoverage(t *testing.T) coverage {
	t.Helper()
	page, err := os.ReadFile("../../../docs/coverage.md")
	if err != nil {
		t.Fatal(err)
	}
	c := coverage{members: map[string][]member{}}
	for _, m := range servedRow.FindAllStringSubmatch(string(page), -1) {
		c.served = append(c.served, m[1])
		if _, err := os.Stat(m[2]); err != nil {
			t.Error(err)
		}
	}
	_, refused, _ := strings.Cut(string(page), "\n## Operations refused\n")
	for _, m := range refusedItem.FindAllStringSubmatch(refused, -1) {
		c.refused = append(c.refused, m[1])
	}
	sections := strings.Split(strings.ReplaceAll(strings.TrimSuffix(string(page), refused), "\n## ", "\n### "), "\n### ")
	for _, section := range sections[1:] {
		operation, text, _ := strings.Cut(section, "\n")
		c.members[operation] = listedMembers(t, text)
	}
	return c
}

// listedMembers reads the two lists of an operation.
func listedMembers(t *testing.T, section string) (out []member) {
	t.Helper()
	for paragraph := range strings.SplitSeq(section, "\n\n") {
		title, list, _ := strings.Cut(strings.TrimSpace(paragraph), ": ")
		if title != "Refused by name" && title != "Accepted, not acted on yet" {
			continue
		}
		for item := range strings.SplitSeq(strings.TrimSuffix(list, "."), ";") {
			m := listed.FindStringSubmatch(strings.TrimSpace(item))
			if m == nil {
				t.Fatalf("not a member: %q", item)
			}
			out = append(out, member{m[1], title == "Refused by name" && m[2] != ""})
		}
	}
	return out
}

// Every operation of the SDK is served or listed as refused.
func TestCoverageOfOperations(t *testing.T) {
	c := readCoverage(t)
	var served []string
	for _, o := range New(Config{}).Service().Operations {
		served = append(served, o.Name)
	}
	slices.Sort(served)
	if diff := cmp.Diff(served, c.served); diff != "" {
		t.Errorf("operations served (-code +page):\n%s", diff)
	}
	if diff := cmp.Diff(Operations(), slices.Sorted(slices.Values(slices.Concat(served, c.refused)))); diff != "" {
		t.Errorf("operations (-SDK +served or on the page):\n%s", diff)
	}
	if len(Operations()) != 88 {
		t.Errorf("the SDK has %d operations, it had 88", len(Operations()))
	}
}

// Every member of a served operation's request is acted on or listed.
func TestCoverageOfMembers(t *testing.T) {
	c := readCoverage(t)
	for _, path := range slices.Sorted(maps.Keys(actedOn)) {
		operation, inner, _ := strings.Cut(path, ".")
		have := strings.Fields(actedOn[path])
		for _, m := range c.members[operation] {
			name, ok := strings.CutPrefix("."+m.path, strings.TrimSuffix("."+inner, ".")+".")
			if inner == "" {
				name, ok = m.path, true
			}
			if !ok || strings.Contains(name, ".") {
				continue
			}
			if m.part != slices.Contains(have, name) {
				t.Errorf("%s: %s is listed for some of its values %v, acted on %v", path, name, m.part, !m.part)
			}
			if !m.part {
				have = append(have, name)
			}
		}
		slices.Sort(have)
		if diff := cmp.Diff(membersAt(t, path), have); diff != "" {
			t.Errorf("%s (-SDK +acted on or on the page):\n%s", path, diff)
		}
	}
}

// A structure that is acted on has a list of its own members. Tags are the same everywhere, and nothing comes of what is in a service connect
// configuration that is not enabled.
func TestCoverageOfStructures(t *testing.T) {
	c := readCoverage(t)
	audit(t, func(t *testing.T, o frontdoor.Operation, _ audited) {
		for _, s := range spots(o.Input, nil) {
			path, closed := o.Name+"."+s.String(), s.typ.Kind() != reflect.Struct || s.typ == reflect.TypeFor[time.Time]()
			if _, listed := actedOn[path]; listed || closed || idle(s) || s.last().member == "tags" {
				continue
			}
			if !slices.ContainsFunc(c.members[o.Name], func(m member) bool { return !m.part && strings.HasPrefix(s.String()+".", m.path+".") }) {
				t.Errorf("%s has no list of its members", path)
			}
		}
	})
}

// The page names no operation and no member that does not exist, and the lists of the test leave none out.
func TestCoverageNamesExist(t *testing.T) {
	c := readCoverage(t)
	for _, o := range c.served {
		if _, ok := actedOn[o]; !ok {
			t.Errorf("%s: no list of members that are acted on", o)
		}
	}
	for operation, members := range c.members {
		for _, m := range members {
			path := operation + "." + m.path
			dot := strings.LastIndexByte(path, '.')
			if _, ok := actedOn[path[:dot]]; !ok || !slices.Contains(membersAt(t, path[:dot]), path[dot+1:]) {
				t.Errorf("%s is no member, or one of a structure that has no list of its own", path)
			}
		}
	}
}

// membersAt are the wire names of the members at a path in the SDK's input of an operation, sorted.
func membersAt(t *testing.T, path string) (names []string) {
	t.Helper()
	steps := strings.Split(path, ".")
	method, ok := reflect.TypeFor[*awsecs.Client]().MethodByName(steps[0])
	if !ok {
		t.Fatalf("the SDK has no operation %s", steps[0])
	}
	shape := method.Type.In(2).Elem()
	for _, step := range steps[1:] {
		f, ok := shape.FieldByNameFunc(func(name string) bool { return wireName(name) == step })
		if !ok {
			t.Fatalf("%s: no member %s", path, step)
		}
		for shape = f.Type; shape.Kind() == reflect.Pointer || shape.Kind() == reflect.Slice; {
			shape = shape.Elem()
		}
	}
	for i := range shape.NumField() {
		if f := shape.Field(i); f.IsExported() {
			names = append(names, wireName(f.Name))
		}
	}
	slices.Sort(names)
	return names
}

func wireName(field string) string { return string(unicode.ToLower(rune(field[0]))) + field[1:] }

// What the code refuses as not acted on is on the page.
func TestCoverageOfRefusals(t *testing.T) {
	c := readCoverage(t)
	var listed []string
	for _, members := range c.members {
		for _, m := range members {
			listed = append(listed, m.path)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	literal := regexp.MustCompile(`(?:notActedOn\(|\{)"([A-Za-z0-9.]+)[^"]*"(?: \+|\)|, [^"{}]*\},?\n)`)
	found := 0
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") || !strings.Contains(string(code), "notActedOn(") {
			continue
		}
		for _, m := range literal.FindAllStringSubmatch(string(code), -1) {
			found++
			if !slices.Contains(listed, m[1]) && m[1] != "the" {
				t.Errorf("%s refuses %s, which docs/coverage.md does not list", file, m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("found only %d refusals", found)
	}
}
