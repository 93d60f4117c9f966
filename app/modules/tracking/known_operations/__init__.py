"""Tracking without GraphQL's general machinery, for operations that were seen before.

Clients track with the same few operations over and over, and only their variables differ. What such
an operation asks for is found out once, after GraphQL itself has parsed, validated and answered it.
From then on its variables are read straight into the pipeline. Whatever is not plainly right goes
through GraphQL as if this were not here, so that every answer is the one that GraphQL gives.
"""
