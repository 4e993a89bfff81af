package main

const eventsPath = "/berth/v1/events"
