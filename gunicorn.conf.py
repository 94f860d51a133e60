"""What `gunicorn config.wsgi` reads by itself; options on its command line go before."""

threads = 4
preload_app = True  # read once, before the port is opened, not once in each worker
control_socket_disable = True  # it would be a file in the home folder of whoever starts it
