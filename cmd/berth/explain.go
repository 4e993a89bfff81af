package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// explained is the answer of the Explain operations.
type explained struct {
	Arn       string    `json:"arn"`
	Status    string    `json:"status"`
	Lines     []string  `json:"lines"`
	Instances []verdict `json:"instances"`
}

type verdict struct {
	ContainerInstanceArn string `json:"containerInstanceArn"`
	Reason               string `json:"reason"`
	Short                int    `json:"short"`
	FreeCPU              int    `json:"freeCpu"`
	FreeMemory           int    `json:"freeMemory"`
	Tasks                int    `json:"tasks"`
}

func explainCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "explain", Short: "Tell why a task, service or container instance is in the state it is in",
		Example: "  berth explain service web --cluster demo\n  berth explain task 0123456789abcdef0123456789abcdef\n  berth explain instance ARN --output json",
	}
	for name, operation := range map[string]string{"task": "ExplainTask", "service": "ExplainService", "instance": "ExplainInstance"} {
		c.AddCommand(explainOne(name, operation))
	}
	return c
}

func explainOne(name, operation string) *cobra.Command {
	var data, cluster, format string
	c := &cobra.Command{
		Use: name + " NAME", Short: "Explain the " + name + " with this name, id or ARN", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			k, err := openClient(data)
			if err != nil {
				return err
			}
			var e explained
			if err := k.call(c.Context(), operation, map[string]string{"cluster": cluster, "name": args[0]}, &e); err != nil {
				return err
			}
			if format == "json" {
				return json.NewEncoder(c.OutOrStdout()).Encode(e)
			}
			return e.print(c)
		},
	}
	dataFlag(c, &data)
	outputFlag(c, &format)
	c.Flags().StringVar(&cluster, "cluster", "default", "cluster to look in")
	return c
}

func (e explained) print(c *cobra.Command) error {
	out := c.OutOrStdout()
	for _, l := range e.Lines {
		fmt.Fprintln(out, l)
	}
	if len(e.Instances) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "\nINSTANCE\tFREE CPU\tFREE MiB\tTASKS\tONE MORE TASK")
	for _, v := range e.Instances {
		says := "fits"
		if v.Reason != "" {
			says = v.Reason
		}
		if v.Short > 0 {
			says += fmt.Sprintf(" (short by %d)", v.Short)
		}
		id := v.ContainerInstanceArn
		if len(id) > 32 {
			id = id[len(id)-32:]
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", id, v.FreeCPU, v.FreeMemory, v.Tasks, says)
	}
	return w.Flush()
}
