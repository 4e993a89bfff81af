package agentwire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Message is a message of the server.
type Message struct {
	Type string
	Body json.RawMessage

	MessageID, ClusterArn, ContainerInstanceArn string
	SeqNum, Timeline                            int64
	Tasks                                       []Task // of a payload, in the order in which the agent applies them
	Listed, Stops                               []Listed
	Raw                                         []json.RawMessage // the payload's tasks as they came
	Discarded                                   bool              // a manifest that is not newer than all that was seen
	CredentialsID                               string
}

// Listed is a task's line in a manifest.
type Listed struct{ TaskArn, TaskClusterArn, DesiredStatus string }

// ReadMessage reads one message and checks its frame and what all messages have in common, without doing anything about it.
func (s *Socket) ReadMessage(deadline time.Time) (m Message, err error) {
	text, err := s.Read(deadline)
	if err != nil {
		return m, err
	}
	var envelope struct {
		Type    string          `json:"type"`
		Message json.RawMessage `json:"message"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&envelope); err != nil || d.More() || envelope.Type == "" || len(envelope.Message) == 0 || envelope.Message[0] != '{' {
		return m, fmt.Errorf("frame is not one message: %v: %.200s", err, text)
	}
	var body struct {
		MessageID            string            `json:"messageId"`
		ClusterArn           string            `json:"clusterArn"`
		ContainerInstanceArn string            `json:"containerInstanceArn"`
		SeqNum               int64             `json:"seqNum"`
		Timeline             int64             `json:"timeline"`
		Tasks                []json.RawMessage `json:"tasks"`
		StopTasks            []Listed          `json:"stopTasks"`
		RoleCredentials      struct {
			CredentialsID string `json:"credentialsId"`
		} `json:"roleCredentials"`
	}
	if err := json.Unmarshal(envelope.Message, &body); err != nil {
		return m, fmt.Errorf("%s: %w: %.200s", envelope.Type, err, text)
	}
	return Message{
		Type: envelope.Type, Body: envelope.Message, MessageID: body.MessageID, ClusterArn: body.ClusterArn, ContainerInstanceArn: body.ContainerInstanceArn,
		SeqNum: body.SeqNum, Timeline: body.Timeline, Raw: body.Tasks, Stops: body.StopTasks, CredentialsID: body.RoleCredentials.CredentialsID,
	}, nil
}

// Step reads the next message of the ACS session and does what the agent does about it, acks included. What the agent would drop without
// an ack, fail a task for, or be harmed by, is an error: the server has broken the protocol.
func (a *Agent) Step(deadline time.Time) (Message, error) {
	m, err := a.ACS.ReadMessage(deadline)
	if err != nil {
		return m, err
	}
	if m.MessageID == "" {
		return m, fmt.Errorf("%s without messageId: the agent drops it", m.Type)
	}
	switch m.Type {
	case "HeartbeatMessage":
		return m, a.Say("HeartbeatAckRequest", Object{{"messageId", m.MessageID}})
	case "PayloadMessage":
		return a.payload(m)
	case "TaskManifestMessage":
		return a.taskManifest(m)
	case "TaskStopVerificationAck":
		return a.stopsVerified(m)
	case "IAMRoleCredentialsMessage":
		return a.credentials(m)
	}
	return m, fmt.Errorf("%s is nothing that the server should have sent here", m.Type)
}

// Until steps until the agent has done what it does about a message of that type, and returns the message.
func (a *Agent) Until(kind string) (Message, error) {
	for limit := Limit(); ; {
		m, err := a.Step(limit)
		if err != nil {
			return m, fmt.Errorf("until %s: %w", kind, err)
		}
		if m.Type == kind {
			return m, nil
		}
	}
}

// Ack acks a message. A wrong order or a repetition is the test's wish.
func (a *Agent) Ack(id string) error {
	return a.Say("AckRequest", Object{{"cluster", a.ClusterARN()}, {"containerInstance", a.Instance}, {"messageId", id}})
}

// addressed checks that a message names the cluster and the instance by ARN.
func (a *Agent) addressed(m Message) error {
	if m.ClusterArn != a.ClusterARN() || m.ContainerInstanceArn != a.Instance {
		return fmt.Errorf("%s for %q of %q, but this is %s", m.Type, m.ContainerInstanceArn, m.ClusterArn, a.Instance)
	}
	return nil
}

func (a *Agent) payload(m Message) (Message, error) {
	if err := a.addressed(m); err != nil {
		return m, err
	}
	if m.SeqNum < a.seqNum {
		return m, fmt.Errorf("payload with seqNum %d after one with %d", m.SeqNum, a.seqNum)
	}
	a.seqNum = m.SeqNum
	var run []Task
	var broken error
	for _, raw := range m.Raw {
		t, err := readTask(raw)
		switch {
		case err != nil:
			broken = errors.Join(broken, err)
		case t.DesiredStatus == "STOPPED":
			m.Tasks = append(m.Tasks, t) // before those to run, whatever their order
		default:
			run = append(run, t)
		}
	}
	m.Tasks = append(m.Tasks, run...)
	for _, t := range m.Tasks {
		broken = errors.Join(broken, a.take(t))
	}
	if broken != nil {
		return m, broken // no ack
	}
	return m, a.Ack(m.MessageID)
}

// take adds or changes a task. A task that is known is taken again without a word.
func (a *Agent) take(t Task) error {
	l := a.Tasks[t.ARN]
	switch {
	case l == nil && t.DesiredStatus == "STOPPED":
		a.Tasks[t.ARN] = &Local{Task: t, Desired: "STOPPED"} // its state error is for the test to report
	case l == nil:
		a.Tasks[t.ARN] = &Local{Task: t, Desired: "RUNNING"}
	case t.DesiredStatus == "RUNNING" && l.Reported == "STOPPED":
		return fmt.Errorf("task %s was reported STOPPED and is told to run: after the clean-up it would run twice", t.ARN)
	case t.DesiredStatus == "STOPPED":
		l.Desired = "STOPPED"
	}
	return nil
}

func (a *Agent) taskManifest(m Message) (Message, error) {
	if err := a.addressed(m); err != nil {
		return m, err
	}
	if m.Timeline <= max(a.Timeline, a.seqNum) {
		m.Discarded = true
		return m, fmt.Errorf("manifest with timeline %d after %d: the agent discards it", m.Timeline, max(a.Timeline, a.seqNum))
	}
	run := map[string]bool{}
	for _, raw := range m.Raw {
		var l Listed
		if err := json.Unmarshal(raw, &l); err != nil || l.TaskArn == "" || l.DesiredStatus == "" {
			return m, fmt.Errorf("manifest's task %s: %v", raw, err)
		}
		m.Listed = append(m.Listed, l)
		run[l.TaskArn] = l.DesiredStatus == "RUNNING"
	}
	a.Timeline, a.manifest, a.verified = m.Timeline, m.MessageID, false
	if err := a.Ack(m.MessageID); err != nil {
		return m, err
	}
	var candidates []Object
	for arn, l := range a.Tasks {
		if l.Desired == "RUNNING" && !run[arn] && !l.Cleaned {
			candidates = append(candidates, Object{{"desiredStatus", "STOPPED"}, {"taskArn", arn}, {"taskClusterArn", a.ClusterARN()}})
		}
	}
	if len(candidates) == 0 {
		return m, nil
	}
	return m, a.Say("TaskStopVerificationMessage", Object{{"messageId", m.MessageID}, {"stopCandidates", candidates}})
}

func (a *Agent) stopsVerified(m Message) (Message, error) {
	if m.MessageID != a.manifest || a.verified {
		return m, fmt.Errorf("stop verification ack of %q, the last manifest is %q (verified: %v)", m.MessageID, a.manifest, a.verified)
	}
	a.verified = true
	for _, s := range m.Stops {
		if s.DesiredStatus != "STOPPED" || a.Tasks[s.TaskArn] == nil {
			return m, fmt.Errorf("stop verification ack names %+v", s)
		}
		a.Tasks[s.TaskArn].Desired = "STOPPED"
	}
	return m, nil
}

func (a *Agent) credentials(m Message) (Message, error) {
	var c struct {
		TaskArn, RoleType string
		RoleCredentials   struct{ CredentialsID, Expiration string }
	}
	if err := json.Unmarshal(m.Body, &c); err != nil {
		return m, err
	}
	if c.RoleCredentials.CredentialsID == "" || c.RoleType != "TaskApplication" && c.RoleType != "TaskExecution" || a.Tasks[c.TaskArn] == nil {
		return m, fmt.Errorf("credentials %s: the agent drops them", m.Body)
	}
	return m, a.Say("IAMRoleCredentialsAckRequest",
		Object{{"credentialsId", c.RoleCredentials.CredentialsID}, {"expiration", c.RoleCredentials.Expiration}, {"messageId", m.MessageID}})
}

// ClusterARN is the ARN of the cluster of the agent's instance.
func (a *Agent) ClusterARN() string {
	before, rest, _ := bytes.Cut([]byte(a.Instance), []byte(":container-instance/"))
	name, _, _ := bytes.Cut(rest, []byte("/"))
	return string(before) + ":cluster/" + string(name)
}
