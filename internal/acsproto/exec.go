package acsproto

// Exec tells Berth's own agent to open a session in a container: it joins the session's channel at the control plane. The official agent is
// never sent it. It is not acked: a session that the agent does not join in time ends, and whoever asked for it asks again.
type Exec struct {
	MessageID         string            `json:"messageId"`
	Cluster           string            `json:"clusterArn"`
	ContainerInstance string            `json:"containerInstanceArn"`
	Session           string            `json:"sessionId"`
	Task              string            `json:"taskArn"`
	Container         string            `json:"containerName"`
	RuntimeID         string            `json:"runtimeId"`            // of that container: not of one that was started in its place
	Command           string            `json:"command,omitempty"`    // "" with a port
	Port              int32             `json:"portNumber,omitempty"` // to forward
	Host              string            `json:"host,omitempty"`       // whose port it is, as the container sees it; "" for the container itself
	Properties        map[string]string `json:"properties,omitempty"` // of the session, for the client: what it forwards from
}

func (Exec) Type() string { return "BerthExecMessage" }
