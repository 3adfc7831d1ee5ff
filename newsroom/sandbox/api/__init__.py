"""The API's endpoints. `routing` finds an endpoint, and `requests` answers the request."""
