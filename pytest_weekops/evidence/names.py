"""What pages are called that runs leave, and where fleet runs lie."""

PAGE_NAME = "report.html"
FLEETS, FLEET_PAGE_NAME = "fleet", "fleet.html"  # where fleet runs lie in a report directory, and the page of each
