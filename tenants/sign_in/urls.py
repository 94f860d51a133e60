"""Addresses of the sign-in with Bitbucket; allauth puts them below /accounts/."""

from allauth.socialaccount.providers.oauth.urls import default_urlpatterns

from tenants.sign_in.provider import BitbucketSignIn

urlpatterns = default_urlpatterns(BitbucketSignIn)
