"""An open benchmark of forecasts beyond the data: methods by studies by distances."""
