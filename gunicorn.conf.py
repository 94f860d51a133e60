"""What `gunicorn config.wsgi` reads by itself; options on its command line go before."""

threads = 4
control_socket_disable = True  # it would be a file in the home folder of whoever starts it
