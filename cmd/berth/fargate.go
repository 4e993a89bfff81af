package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	berthapi "berth/internal/api/berth"
)

func fargateCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "fargate", Short: "Show the pool of Fargate, and take capacity back from Spot tasks",
		Long: `Show the pool of Fargate, and take capacity back from Spot tasks. Tasks of Fargate run on machines that no API of AWS's shows: the members of the pool, which
an instance provider launches and terminates as tasks need them.`,
		Example: "  berth fargate status\n  berth fargate interrupt --service web --count 1",
	}
	c.AddCommand(fargateStatusCommand(), fargateInterruptCommand())
	return c
}

// poolStatus is the answer of DescribePool; times are in seconds since 1970.
type poolStatus struct {
	Grows   bool         `json:"grows"`
	Members []poolMember `json:"members"`
	Waiting []poolNeed   `json:"waiting"`
	Zones   []poolZone   `json:"zones"`
}

type poolMember struct {
	ID                   string  `json:"id"`
	Status               string  `json:"status"`
	Zone                 string  `json:"zone"`
	Architecture         string  `json:"architecture"`
	ByHand               bool    `json:"byHand"`
	CPU                  int     `json:"cpu"`
	Memory               int     `json:"memory"`
	FreeCPU              int     `json:"freeCpu"`
	FreeMemory           int     `json:"freeMemory"`
	Tasks                int     `json:"tasks"`
	SpotTasks            int     `json:"spotTasks"`
	ContainerInstanceArn string  `json:"containerInstanceArn,omitempty"`
	LaunchedAt           float64 `json:"launchedAt"`
	IdleSince            float64 `json:"idleSince,omitempty"`
}

type poolNeed struct {
	Zone         string  `json:"zone"`
	Architecture string  `json:"architecture"`
	CPU          int     `json:"cpu"`
	Memory       int     `json:"memory"`
	Spot         bool    `json:"spot"`
	Count        int     `json:"count"`
	Since        float64 `json:"since"`
}

type poolZone struct {
	Zone         string  `json:"zone"`
	Architecture string  `json:"architecture"`
	Unavailable  bool    `json:"unavailable"`
	Failures     int     `json:"failures"`
	Reason       string  `json:"reason,omitempty"`
	LastFailure  float64 `json:"lastFailure,omitempty"`
}

func fargateStatusCommand() *cobra.Command {
	var data, format string
	c := &cobra.Command{
		Use: "status", Short: "Show the members of the pool, what waits for a place, and where there is no capacity", Args: cobra.NoArgs,
		Long: `Show the pool of Fargate: its members, what they have and what is free of it (CPU units, 1024 are a vCPU, and MiB); the tasks that wait for a place; and the
zones in which members could not be launched, with what the instance provider said. How the pool grows is said where the server is
started, with its --pool flags.`,
		Example: "  berth fargate status\n  berth fargate status --output json",
		RunE: func(c *cobra.Command, _ []string) error {
			k, err := openClient(data)
			if err != nil {
				return err
			}
			var out poolStatus
			if err := k.call(c.Context(), "DescribePool", berthapi.DescribePoolInput{}, &out); err != nil {
				return err
			}
			if format == "json" {
				return json.NewEncoder(c.OutOrStdout()).Encode(out)
			}
			return out.print(c.OutOrStdout(), time.Now())
		},
	}
	dataFlag(c, &data)
	outputFlag(c, &format)
	return c
}

// print writes the pool as tables.
func (p *poolStatus) print(out io.Writer, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	p.printMembers(w, now)
	if len(p.Waiting) > 0 {
		fmt.Fprintln(w, "\nWAITING\tCPU\tMiB\tZONE\tARCHITECTURE\tSPOT\tFOR")
	}
	for _, n := range p.Waiting {
		fmt.Fprintf(w, "%d\t%d\t%d\t%s\t%s\t%s\t%s\n", n.Count, n.CPU, n.Memory, n.Zone, n.Architecture, yes(n.Spot), ago(now, n.Since))
	}
	head := "\nZONE\tARCHITECTURE\tCAPACITY\tFAILED LAUNCHES\tLAST\tREASON"
	for _, z := range p.Zones {
		if z.Failures == 0 && !(z.Unavailable && p.Grows) {
			continue
		}
		if head != "" {
			fmt.Fprintln(w, head)
			head = ""
		}
		capacity, last := "tried again", "-"
		if z.Unavailable {
			capacity = "unavailable"
		}
		if z.LastFailure > 0 {
			last = ago(now, z.LastFailure) + " ago"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", z.Zone, z.Architecture, capacity, z.Failures, last, z.Reason)
	}
	return w.Flush()
}

func (p *poolStatus) printMembers(w io.Writer, now time.Time) {
	if !p.Grows {
		fmt.Fprint(w, "The pool does not grow: the server has no instance provider (--pool-provider). Machines join it by hand.\n\n")
	}
	if len(p.Members) == 0 {
		fmt.Fprintln(w, "The pool has no members.")
		return
	}
	fmt.Fprintln(w, "MEMBER\tSTATUS\tZONE\tARCHITECTURE\tCPU\tFREE\tMiB\tFREE\tTASKS\tSPOT\tIDLE FOR")
	for _, m := range p.Members {
		id, idle := m.ID, "-"
		if m.ByHand {
			id += " (by hand)"
		}
		if m.IdleSince > 0 {
			idle = ago(now, m.IdleSince)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", id, m.Status, m.Zone, m.Architecture, m.CPU, m.FreeCPU, m.Memory, m.FreeMemory, m.Tasks, m.SpotTasks, idle)
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// ago is how long ago a moment was, in seconds since 1970.
func ago(now time.Time, at float64) string {
	return max(0, now.Sub(time.UnixMilli(int64(at*1000)))).Round(time.Second).String()
}

func fargateInterruptCommand() *cobra.Command {
	var data, cluster, task, service, format string
	var all bool
	var count int32
	c := &cobra.Command{
		Use: "interrupt --task TASK | --service NAME | --all", Short: "Interrupt tasks on Fargate Spot", Args: cobra.NoArgs,
		Long: `Interrupt tasks on Fargate Spot, as AWS does when it needs their capacity: to try how an application bears it, or to take capacity back.

Each task stops with the stop code SpotInterruption and the reason "Your Spot Task was interrupted.": its containers get SIGTERM now, and SIGKILL after the
stopTimeout of their definition, 30 seconds where it says none and two minutes at most. Events tell of it at once. A service replaces its tasks, as soon
as there is capacity. Tasks that are not on the capacity provider FARGATE_SPOT are never interrupted.`,
		Example: `  berth fargate interrupt --task 0123456789abcdef0123456789abcdef --cluster demo
  berth fargate interrupt --service web --cluster demo --count 2
  berth fargate interrupt --all`,
		RunE: func(c *cobra.Command, _ []string) error {
			in, set := map[string]any{}, c.Flags().Changed
			for name, value := range map[string]any{"task": task, "service": service, "cluster": cluster, "count": count} {
				if set(name) {
					in[name] = value
				}
			}
			if all {
				in["all"] = true
			}
			k, err := openClient(data)
			if err != nil {
				return err
			}
			out := interruptedTasks{TaskArns: []string{}}
			if err := k.call(c.Context(), "InterruptSpotTasks", in, &out); err != nil {
				return err
			}
			if format == "json" {
				return json.NewEncoder(c.OutOrStdout()).Encode(out)
			}
			out.print(c.OutOrStdout())
			return nil
		},
	}
	dataFlag(c, &data)
	outputFlag(c, &format)
	f := c.Flags()
	f.StringVar(&task, "task", "", "task to interrupt, by its id or ARN")
	f.StringVar(&service, "service", "", "service whose Spot tasks are interrupted, by its name or ARN")
	f.BoolVar(&all, "all", false, "interrupt all Spot tasks; with --cluster, all of the cluster")
	f.StringVar(&cluster, "cluster", "", "cluster of the task or service; \"default\" where neither is an ARN")
	f.Int32Var(&count, "count", 0, "interrupt so many at most, the youngest first; with --service or --all")
	c.MarkFlagsOneRequired("task", "service", "all")
	c.MarkFlagsMutuallyExclusive("task", "service", "all")
	c.MarkFlagsMutuallyExclusive("task", "count")
	return c
}

// interruptedTasks is the answer of InterruptSpotTasks.
type interruptedTasks struct {
	TaskArns []string `json:"taskArns"`
}

func (t *interruptedTasks) print(out io.Writer) {
	if len(t.TaskArns) == 0 {
		fmt.Fprintln(out, "no Spot task is running that was not told to stop already")
	}
	for _, arn := range t.TaskArns {
		fmt.Fprintf(out, "interrupted %s\n", arn)
	}
}
