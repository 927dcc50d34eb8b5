"""What is handed over in bulk: bundles, two islands on one network, records on paper, invitations. Core."""
