package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// helloCommand is what the demo's containers run: a web server that says who it is.
func helloCommand() *cobra.Command {
	var port int
	c := &cobra.Command{
		Use: "hello", Short: "Answer HTTP requests; the demo's containers run it", Hidden: true, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			name, _ := os.Hostname()
			h := &http.Server{Addr: fmt.Sprintf(":%d", port), ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprintf(w, "Hello from %s\n", name)
			})}
			go func() {
				<-c.Context().Done()
				h.Close()
			}()
			if err := h.ListenAndServe(); c.Context().Err() == nil {
				return err
			}
			return nil
		},
	}
	c.Flags().IntVar(&port, "port", 80, "port to listen on")
	return c
}
