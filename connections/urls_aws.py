"""Where AWS's clients ask: the endpoint, and what newer clients add to it."""

from django.urls import path, re_path

from connections.aws.view import answers

app_name = "connections-aws"

urlpatterns = [
    re_path(r"^aws/?$", answers, name="aws"),
    path("aws/service/<str:service>/operation/<str:operation>", answers, name="aws_operation"),
]
